// A server certificate of the operator's own: two PEM files that have to be whole and to belong together.

import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import { said } from '../data/said.ts';

export interface CertificatePair {
  /** PEM: the leaf certificate and whatever follows it; the key. */
  readonly cert: string;
  readonly key: string;
}

/** Reads both files. Throws MOT-0403 for one that cannot be read or is not what it should be, MOT-0404 if they do not fit. */
export function readCertificatePair(paths: CertificatePair): CertificatePair {
  const cert = readPem(paths.cert);
  const key = readPem(paths.key);
  const leaf = parse(paths.cert, () => new X509Certificate(cert).publicKey);
  const own = parse(paths.key, () => createPublicKey(createPrivateKey(key)));
  if (!leaf.equals(own)) throw new MotteError('MOT-0404', `${paths.key} is not the key of ${paths.cert}`);
  return { cert, key };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (fault) {
    throw new MotteError('MOT-0403', `${path}: ${said(fault)}`, { cause: fault });
  }
}

function parse<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new MotteError('MOT-0403', `${path} is not what it should be in PEM`, { cause });
  }
}
