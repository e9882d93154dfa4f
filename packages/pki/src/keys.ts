// Keys made on this host and the requests to certify them. The key never goes further than the caller.

import { generateKeyPair, type KeyObject, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import { RSA_BITS } from './limits.ts';
import type { AlternativeName } from './profiles/profile.ts';
import { loadX509 } from './x509.ts';

export interface KeyAndRequest {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** PKCS #10, PEM. */
  readonly csr: string;
}

export interface KeyOptions {
  /** `ec` is P-256. */
  readonly type: 'ec' | 'rsa';
  /** Bits of an RSA key, 2048 if absent. */
  readonly bits?: number;
  readonly alternativeNames?: readonly AlternativeName[];
}

const generate = promisify(generateKeyPair);
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;

/** Makes a key pair and a request that proves it is held; `commonName` is for people, the authority does not read it. */
export async function createKeyAndCsr(commonName: string, options: KeyOptions): Promise<KeyAndRequest> {
  const x509 = await loadX509();
  const algorithm = options.type === 'ec' ? EC : RSA;
  const pair: { privateKey: KeyObject; publicKey: KeyObject } =
    options.type === 'ec'
      ? await generate('ec', { namedCurve: EC.namedCurve })
      : await generate('rsa', { modulusLength: options.bits ?? RSA_BITS.min });
  const pkcs8 = pair.privateKey.export({ type: 'pkcs8', format: 'der' });
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' });
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
  };
  pkcs8.fill(0);
  const names = options.alternativeNames ?? [];
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension([...names])],
  });
  return { key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), csr: `${csr.toString('pem')}\n` };
}
