// Where CA keys are: readable in their files, in their files under a passphrase, or behind a signer, a command that answers
// with signatures and shows no key. A key's file says which. Keys enter the process here and leave only as functions that sign.

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign as signBytes,
  verify as verifySignature,
  webcrypto,
} from 'node:crypto';
import { AuthorityFault } from '../protocol/faults.ts';
import type { KeyPlace } from '../protocol/results.ts';
import { openSealed, sealKey } from './sealed-key.ts';
import type { Issuer } from './signature.ts';
import { runSigner, type SignerSettings } from './signer.ts';

export type CaRole = 'root' | 'issuing';

export interface KeeperSettings {
  /** Reads the passphrase when it is needed; a `new` one closes what no passphrase closed before. */
  readonly passphrase?: (which: 'new' | 'known') => Promise<string>;
  readonly signer?: SignerSettings;
  /** Below this URL, without a slash at its end, the revocation lists are published: see `crlName`. */
  readonly crlUrl?: string;
}

export interface MadeKey {
  readonly publicKey: KeyObject;
  readonly sign: Issuer['sign'];
  /** What its file holds. */
  readonly text: string;
}

export interface FoundKey {
  readonly place: KeyPlace;
  readonly sign: Issuer['sign'];
  /** What its file is to hold instead, if it is not kept as it should be. */
  readonly text?: string;
}

const SIGNER_LINE = /^motte-signer: ([\x21-\x7e]{1,80})\n$/;
const SEALED = '-----BEGIN AGE ENCRYPTED FILE-----';

/** Makes a key where the settings want it, or finds it there. */
export async function makeKey(role: CaRole, { passphrase, signer }: KeeperSettings): Promise<MadeKey> {
  const behind = signer?.keys[role];
  if (signer !== undefined && behind !== undefined) {
    const publicKey = await behind.publicKey();
    return { publicKey, sign: runSigner(signer, behind.label), text: `motte-signer: ${behind.label}\n` };
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const text = passphrase === undefined ? pem : await sealKey(pem, await passphrase('new'));
  return { publicKey, sign: await inProcess(privateKey), text };
}

/**
 * The key of a file. One that only ever signed when its CA was made stays closed. `why` makes the error for a file that is
 * damaged or does not fit; MOT-0476 and MOT-0477 where the settings lack what would open it.
 */
export async function findKey(
  role: CaRole,
  text: string,
  certified: KeyObject,
  { passphrase, signer }: KeeperSettings,
  why: (why: string) => AuthorityFault,
): Promise<FoundKey> {
  const label = SIGNER_LINE.exec(text)?.[1];
  if (label !== undefined) {
    const missing = async () =>
      Promise.reject(new AuthorityFault('MOT-0477', `authority.yaml names none for ${label}`));
    return { place: 'signer', sign: signer === undefined ? missing : runSigner(signer, label) };
  }
  if (text.startsWith(SEALED)) {
    const locked = async () => Promise.reject(new AuthorityFault('MOT-0476', 'authority.yaml names no passphrase'));
    if (passphrase === undefined || role === 'root') return { place: 'passphrase', sign: locked };
    const key = parseKey(await openSealed(text, await passphrase('known')), certified, why);
    return { place: 'passphrase', sign: await inProcess(key) };
  }
  const found = await inProcess(parseKey(text, certified, why));
  if (passphrase === undefined) return { place: 'file', sign: found };
  return { place: 'passphrase', sign: found, text: await sealKey(text, await passphrase('new')) };
}

function parseKey(pem: string, certified: KeyObject, why: (why: string) => AuthorityFault): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw why('is not a private key');
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw why('is not a P-256 key');
  // A key file says its public half too, and that half may be whole while the secret one is not: only a signature tells.
  const nonce = randomBytes(32);
  const fits = createPublicKey(key).equals(certified);
  if (!fits || !verifySignature('sha256', nonce, certified, signBytes('sha256', nonce, key))) {
    throw why('does not fit its certificate');
  }
  return key;
}

/** The handle inside can sign and cannot be read out. */
async function inProcess(privateKey: KeyObject): Promise<Issuer['sign']> {
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const handle = await webcrypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
  ]);
  der.fill(0);
  return async (bytes) =>
    new Uint8Array(await webcrypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, handle, bytes));
}
