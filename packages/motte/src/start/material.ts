// What TLS listeners present and trust: the authority's certificate for this host, renewed by itself, or the operator's
// own from tls.certificate.

import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import type { TlsMaterial } from '@motte/broker/ports/config';
import { obtainServerCertificate, openBrokerAuthority, serverNames } from '@motte/pki';
import type { MotteConfig } from '../config/config.ts';
import { said } from '../data/said.ts';

export interface Material {
  readonly tls: TlsMaterial;
  /** For the console: always the authority's. */
  readonly own: { readonly cert: string; readonly key: string };
  /** SHA-256 of the root, lower-case hex. */
  readonly fingerprint: string;
  /** Why a new certificate was issued; undefined if the kept one still serves. */
  readonly reissued: string | undefined;
}

/** Asks the authority, which issues anew when names changed or the end is near. Throws AuthorityFault, MOT-0403, MOT-0404. */
export async function obtainMaterial(data: string, brokerSocket: string, config: MotteConfig): Promise<Material> {
  const { cert, key, clientCa, fingerprint, reissued } = await obtainServerCertificate({
    directory: join(data, 'run', 'server'),
    authority: openBrokerAuthority(brokerSocket),
    names: serverNames(),
    nowMs: Date.now(),
  });
  const shown = config.certificate === undefined ? { cert, key } : readPair(config.certificate);
  return { tls: { ...shown, clientCa }, own: { cert, key }, fingerprint, reissued };
}

function readPair(paths: { readonly cert: string; readonly key: string }): { cert: string; key: string } {
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
