// A root and its issuing CA on disk: made once, whole or not at all, in a directory of their own; loaded and checked at every
// start. Which of several is in use is told in generations.ts, where their keys are in ca-keys.ts.

import { createHash, randomBytes, X509Certificate } from 'node:crypto';
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
import { serialText } from '../protocol/names.ts';
import type { CertificateFacts, KeyPlace } from '../protocol/results.ts';
import { type CaRole, type FoundKey, findKey, type KeeperSettings, makeKey } from './ca-keys.ts';
import { type SignedCertificate, sign } from './sign.ts';
import type { Issuer } from './signature.ts';

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

/** The file in which the revocation list of an issuing CA is published. */
export function crlName(issuingCommonName: string): string {
  return `${issuingCommonName.split(' ').at(-1)}.crl`;
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
  settings: KeeperSettings = {},
): Promise<void> {
  const root = await makeKey('root', settings);
  const issuing = await makeKey('issuing', settings);
  const rootPlan = rootProfile(id);
  const self = { ...root, commonName: rootPlan.commonName, notBeforeMs: 0, notAfterMs: Number.POSITIVE_INFINITY };
  const rootCertificate = await sign(rootPlan, root.publicKey, self, nowMs);
  const { notBeforeMs, notAfterMs } = rootCertificate;
  const parent = { ...self, notBeforeMs, notAfterMs };
  const issuingCertificate = await sign(issuingProfile(id), issuing.publicKey, parent, nowMs);

  const draft = join(pki, DRAFT);
  try {
    await fs.rm(draft, { recursive: true, force: true });
    await ensurePrivateDirectory(draft);
    await writePrivateFile(draft, 'root.key', root.text);
    await writePrivateFile(draft, 'root.crt', rootCertificate.pem);
    await writePrivateFile(draft, 'issuing.key', issuing.text);
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
export async function loadCa(pki: string, name: string = DIRECTORY, settings: KeeperSettings = {}): Promise<Ca> {
  const directory = join(pki, name);
  await ensurePrivateDirectory(directory);
  const texts = new Map<string, string | undefined>();
  for (const file of CA_FILES) texts.set(file, await readPrivateFile(join(directory, file)));
  return parseCa(
    directory,
    (file) => texts.get(file),
    settings,
    (file, text) => writePrivateFile(directory, file, text),
  );
}

/** The CA in the texts of its files; `directory` is for messages. A key that is to be kept otherwise is given to `keep`. Throws MOT-0424. */
export async function parseCa(
  directory: string,
  textOf: (name: (typeof CA_FILES)[number]) => string | undefined,
  settings: KeeperSettings = {},
  keep: (name: string, text: string) => Promise<void> = async () => undefined,
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
  const keyOf = async (role: CaRole, certificate: X509Certificate): Promise<FoundKey> => {
    const name = `${role}.key` as const;
    const why = (text: string) => damaged(directory, name, text);
    const found = await findKey(role, read(name), certificate.publicKey, settings, why);
    if (found.text !== undefined) await keep(name, found.text);
    return found;
  };
  const rootKey = await keyOf('root', root);
  const issuingKey = await keyOf('issuing', issuing);
  const commonName = issuerNameOf(issuing.subject);
  return {
    issuer: {
      sign: issuingKey.sign,
      publicKey: issuing.publicKey,
      commonName,
      ...(settings.crlUrl === undefined ? {} : { crlUrl: `${settings.crlUrl}/${crlName(commonName)}` }),
      notBeforeMs: Date.parse(issuing.validFrom),
      notAfterMs: Date.parse(issuing.validTo),
    },
    rootPem,
    issuingPem,
    root: facts(root),
    issuing: facts(issuing),
    fingerprint: createHash('sha256').update(root.raw).digest('hex'),
    keys: { root: rootKey.place, issuing: issuingKey.place },
  };
}

function parseCertificate(directory: string, name: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw damaged(directory, name, 'is not a certificate');
  }
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
