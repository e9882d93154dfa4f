// Keys made on this host and the requests to certify them. The key never goes further than the caller.

import { createPublicKey, generateKeyPair, type KeyObject, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import type { AlternativeName } from './profiles/profile.ts';
import { loadX509 } from './x509.ts';

export interface KeyAndRequest {
  /** PKCS #8, PEM. */
  readonly key: string;
  /** PKCS #10, PEM. */
  readonly csr: string;
}

/** Kinds of keys by the names that commands take. */
export const KEY_TYPES = {
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ec384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', bits: 2048 },
  rsa3072: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', bits: 3072 },
} as const;

export type KeyType = keyof typeof KEY_TYPES;

export interface KeyOptions {
  readonly type: KeyType;
  /** Bits of an RSA key, if other than its type says. */
  readonly bits?: number;
  readonly alternativeNames?: readonly AlternativeName[];
}

const generate = promisify(generateKeyPair);

/** Makes a key pair and a request that proves it is held; `commonName` is for people, the authority does not read it. */
export async function createKeyAndCsr(commonName: string, options: KeyOptions): Promise<KeyAndRequest> {
  const algorithm = KEY_TYPES[options.type];
  const { privateKey }: { privateKey: KeyObject } =
    'bits' in algorithm
      ? await generate('rsa', { modulusLength: options.bits ?? algorithm.bits })
      : await generate('ec', { namedCurve: algorithm.namedCurve });
  const csr = await createCsr(commonName, privateKey, options);
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), csr };
}

/** A request, PEM, for a key of this type that is there already. */
export async function createCsr(commonName: string, privateKey: KeyObject, options: KeyOptions): Promise<string> {
  const x509 = await loadX509();
  const algorithm = KEY_TYPES[options.type];
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
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
  return `${csr.toString('pem')}\n`;
}
