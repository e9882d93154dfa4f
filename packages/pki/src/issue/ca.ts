// A root and its issuing CA on disk: made once, whole or not at all, in a directory of their own; loaded and checked at every
// start. Which of several is in use is told in generations.ts. Keys enter the process here and leave this file only as handles that can sign but not be read out.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign as signBytes,
  verify as verifySignature,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import {
  ensurePrivateDirectory,
  readPrivateFile,
  syncDirectory,
  unwritable,
  writePrivateFile,
} from '../private-files.ts';
import { issuingProfile, rootProfile } from '../profiles/authorities.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import type { CertificateFacts, KeyPlace } from '../protocol/messages.ts';
import { serialText } from '../protocol/names.ts';
import { type Issuer, type SignedCertificate, sign } from './sign.ts';

export interface Ca {
  /** Signs leaves. */
  readonly issuer: Issuer;
  readonly rootPem: string;
  readonly issuingPem: string;
  readonly root: CertificateFacts;
  readonly issuing: CertificateFacts;
  /** SHA-256 of the root's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly keys: { readonly root: KeyPlace; readonly issuing: KeyPlace };
}

/** What such a directory holds. */
export const CA_FILES = ['root.crt', 'issuing.crt', 'root.key', 'issuing.key'] as const;

/** The first one's, below the pki directory. */
export const DIRECTORY = 'ca';
/** Says which of several is in use; while there is none, the first is the only one. */
export const GENERATIONS_NAME = 'authorities.json';
/** Where one is made; left behind by an interruption, it is nobody's. */
export const DRAFT = 'ca.draft';
const ID_BYTES = 4;

/** Tells one installation's CAs from another's. */
export function newId(): string {
  return randomBytes(ID_BYTES).toString('hex');
}

/** A CA's common name from the subject of its certificate. */
export function issuerNameOf(subject: string): string {
  return subject.replace(/^CN=/, '');
}

/** Whether a CA has been made in this pki directory. */
export async function caExists(pki: string): Promise<boolean> {
  return (await fs.readdir(pki)).some((name) => name === DIRECTORY || name === GENERATIONS_NAME);
}

/** Makes both CAs; `record` is awaited with each certificate before any of them can be found. Throws MOT-0428. */
export async function createCa(
  pki: string,
  nowMs: number,
  record: (certificate: SignedCertificate) => Promise<void>,
  { id, directory }: { readonly id: string; readonly directory: string } = { id: newId(), directory: DIRECTORY },
): Promise<void> {
  const root = newKey();
  const issuing = newKey();
  const rootPlan = rootProfile(id);
  const self = { ...root, commonName: rootPlan.commonName, notBeforeMs: 0, notAfterMs: Number.POSITIVE_INFINITY };
  const rootCertificate = await sign(rootPlan, root.publicKey, await issuerOf(self), nowMs);
  const { notBeforeMs, notAfterMs } = rootCertificate;
  const parent = await issuerOf({ ...self, notBeforeMs, notAfterMs });
  const issuingCertificate = await sign(issuingProfile(id), issuing.publicKey, parent, nowMs);

  const draft = join(pki, DRAFT);
  try {
    await fs.rm(draft, { recursive: true, force: true });
    await ensurePrivateDirectory(draft);
    await writePrivateFile(draft, 'root.key', root.pem);
    await writePrivateFile(draft, 'root.crt', rootCertificate.pem);
    await writePrivateFile(draft, 'issuing.key', issuing.pem);
    await writePrivateFile(draft, 'issuing.crt', issuingCertificate.pem);
    await record(rootCertificate);
    await record(issuingCertificate);
    await fs.rename(draft, join(pki, directory));
    await syncDirectory(pki);
  } catch (fault) {
    throw fault instanceof AuthorityFault ? fault : unwritable(draft, fault);
  }
}

/** Loads the CA; throws MOT-0423 for unsafe files and MOT-0424 naming the file that is missing, damaged or foreign. */
export async function loadCa(pki: string, name: string = DIRECTORY): Promise<Ca> {
  const directory = join(pki, name);
  await ensurePrivateDirectory(directory);
  const texts = new Map<string, string | undefined>();
  for (const file of CA_FILES) texts.set(file, await readPrivateFile(join(directory, file)));
  return parseCa(directory, (file) => texts.get(file));
}

/** The CA in the texts of its files; `directory` is for messages. Throws MOT-0424. */
export async function parseCa(
  directory: string,
  textOf: (name: (typeof CA_FILES)[number]) => string | undefined,
): Promise<Ca> {
  const read = (name: (typeof CA_FILES)[number]): string => {
    const text = textOf(name);
    if (text === undefined) throw damaged(directory, name, 'is missing');
    return text;
  };
  const rootPem = read('root.crt');
  const issuingPem = read('issuing.crt');
  const root = parseCertificate(directory, 'root.crt', rootPem);
  const issuing = parseCertificate(directory, 'issuing.crt', issuingPem);
  if (!root.ca || !root.verify(root.publicKey)) throw damaged(directory, 'root.crt', 'is not a root');
  if (!issuing.ca || !issuing.checkIssued(root) || !issuing.verify(root.publicKey)) {
    throw damaged(directory, 'issuing.crt', 'was not issued by root.crt');
  }
  parseKey(directory, 'root.key', read('root.key'), root);
  const key = parseKey(directory, 'issuing.key', read('issuing.key'), issuing);
  return {
    issuer: await issuerOf({
      privateKey: key,
      publicKey: issuing.publicKey,
      commonName: issuerNameOf(issuing.subject),
      notBeforeMs: Date.parse(issuing.validFrom),
      notAfterMs: Date.parse(issuing.validTo),
    }),
    rootPem,
    issuingPem,
    root: facts(root),
    issuing: facts(issuing),
    fingerprint: createHash('sha256').update(root.raw).digest('hex'),
    keys: { root: 'file', issuing: 'file' },
  };
}

function newKey(): { privateKey: KeyObject; publicKey: KeyObject; pem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicKey, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

async function issuerOf(parts: Omit<Issuer, 'signingKey'> & { privateKey: KeyObject }): Promise<Issuer> {
  const { commonName, publicKey, notBeforeMs, notAfterMs } = parts;
  const der = parts.privateKey.export({ type: 'pkcs8', format: 'der' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
  ]);
  der.fill(0);
  return { commonName, publicKey, notBeforeMs, notAfterMs, signingKey };
}

function parseCertificate(directory: string, name: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw damaged(directory, name, 'is not a certificate');
  }
}

function parseKey(directory: string, name: string, pem: string, certificate: X509Certificate): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw damaged(directory, name, 'is not a private key');
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw damaged(directory, name, 'is not a P-256 key');
  // A key file says its public half too, and that half may be whole while the secret one is not: only a signature tells.
  const nonce = randomBytes(32);
  const fits = createPublicKey(key).equals(certificate.publicKey);
  if (!fits || !verifySignature('sha256', nonce, certificate.publicKey, signBytes('sha256', nonce, key))) {
    throw damaged(directory, name, 'does not fit its certificate');
  }
  return key;
}

function facts(certificate: X509Certificate): CertificateFacts {
  return {
    subject: certificate.subject,
    keyType: 'P-256',
    serial: serialText(certificate.serialNumber),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
  };
}

function damaged(directory: string, name: string, why: string): AuthorityFault {
  return new AuthorityFault('MOT-0424', `${join(directory, name)} ${why}`);
}
