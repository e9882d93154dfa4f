// The authority's own configuration, `<data>/pki/authority.yaml`: where its keys are and where its
// revocation lists are published. It stands where the broker neither reads
// nor writes, so that a broker that was taken over cannot have the keys moved or another command run. Missing = keys in files.

import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { KeeperSettings } from '../issue/ca-keys.ts';
import type { SignerSettings } from '../issue/signer.ts';
import { PASSPHRASE_BYTES_MAX, SIGNER_DEADLINE_MS } from '../limits.ts';
import { errno, readPrivateFile } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { askOnce, PASSPHRASE_CHARACTERS_MIN, tooShort } from './asking.ts';

export const SETTINGS_NAME = 'authority.yaml';

type Fields = Readonly<Record<string, unknown>>;

/** Reads and checks it; throws MOT-0423, MOT-0478. Passphrase and public keys are read when they are needed. */
export async function readSettings(pki: string, asked: Passphrase = askOnce(undefined)): Promise<KeeperSettings> {
  const path = join(pki, SETTINGS_NAME);
  const text = await readPrivateFile(path);
  if (text === undefined) return {};
  const refuse = (why: string) => new AuthorityFault('MOT-0478', `${path}: ${why}`);
  // Its parser is recursive: what is short cannot be deep.
  if (text.length > SETTINGS_CHARACTERS_MAX) throw refuse(`it is longer than ${SETTINGS_CHARACTERS_MAX} characters`);
  let document: unknown;
  // Whoever asks the authority over its socket need not load it.
  const { parse } = await import('yaml');
  try {
    document = parse(text, { maxAliasCount: 0, uniqueKeys: true });
  } catch (fault) {
    throw refuse((fault as Error).message.split('\n')[0] ?? 'it is not YAML');
  }
  const { passphrase, signer, crl } = fieldsOf(document, ['passphrase', 'signer', 'crl'], 'the file', refuse);
  return {
    ...(passphrase === undefined ? {} : { passphrase: passphraseFrom(passphrase, asked, refuse) }),
    ...(signer === undefined ? {} : { signer: signerFrom(signer, refuse) }),
    ...(crl === undefined ? {} : { crlUrl: crlUrlFrom(crl, refuse) }),
  };
}

type Refuse = (why: string) => AuthorityFault;

type Passphrase = NonNullable<KeeperSettings['passphrase']>;

function passphraseFrom(value: unknown, asked: Passphrase, refuse: Refuse): Passphrase {
  if (value === 'ask') return asked;
  const { file, credential } = fieldsOf(value, ['file', 'credential'], 'passphrase', refuse);
  if ((file === undefined) === (credential === undefined))
    throw refuse('passphrase has file or credential, or is the word ask');
  const named = textOf(file ?? credential, 'passphrase', refuse);
  if (file !== undefined && !isAbsolute(named)) throw refuse('passphrase.file is not an absolute path');
  if (credential !== undefined && !/^[A-Za-z0-9._-]+$/.test(named)) throw refuse('passphrase.credential is no name');
  return async () => {
    const directory = process.env['CREDENTIALS_DIRECTORY'];
    if (file === undefined && directory === undefined) {
      throw new AuthorityFault('MOT-0476', `the service manager gave no credentials, ${named} among them`);
    }
    const [first = ''] = (await readSecret(file === undefined ? join(directory ?? '', named) : named)).split('\n');
    if (first.length < PASSPHRASE_CHARACTERS_MIN) {
      throw tooShort();
    }
    return first;
  };
}

async function readSecret(path: string): Promise<string> {
  try {
    const facts = await stat(path);
    if ((facts.mode & 0o077) !== 0) throw new AuthorityFault('MOT-0423', `${path} is open to others`);
    if (facts.size > PASSPHRASE_BYTES_MAX)
      throw new AuthorityFault('MOT-0476', `${path} is too large for a passphrase`);
    return await readFile(path, 'utf8');
  } catch (fault) {
    throw fault instanceof AuthorityFault ? fault : new AuthorityFault('MOT-0476', `${path} (${errno(fault)})`);
  }
}

/** Plain http is what readers of such lists expect: a list is signed (RFC 5280, 8). */
function crlUrlFrom(value: unknown, refuse: Refuse): string {
  const { url } = fieldsOf(value, ['url'], 'crl', refuse);
  const text = textOf(url, 'crl.url', refuse).replace(/\/$/, '');
  const isUrl = URL.canParse(text) && /^https?:\/\/[\x21-\x7e]+$/.test(text) && !/[?#@]/.test(text);
  if (!isUrl || text.length > CRL_URL_CHARACTERS_MAX) {
    throw refuse(`crl.url is not an http or https URL of at most ${CRL_URL_CHARACTERS_MAX} characters without query`);
  }
  return text;
}

function signerFrom(value: unknown, refuse: Refuse): SignerSettings {
  const {
    command,
    input = 'message',
    deadlineSeconds = SIGNER_DEADLINE_MS / 1000,
    root,
    issuing,
  } = fieldsOf(value, ['command', 'input', 'deadlineSeconds', 'root', 'issuing'], 'signer', refuse);
  const parts = Array.isArray(command) ? command.map((part) => textOf(part, 'signer.command', refuse)) : [];
  if (!isAbsolute(parts[0] ?? '')) throw refuse('signer.command is not a list that begins with an absolute path');
  if (input !== 'message' && input !== 'sha256') throw refuse('signer.input is message or sha256');
  const isDeadline = typeof deadlineSeconds === 'number' && deadlineSeconds > 0 && deadlineSeconds <= 60;
  if (!isDeadline) throw refuse('signer.deadlineSeconds is not from 1 to 60');
  return {
    command: parts,
    input,
    deadlineMs: deadlineSeconds * 1000,
    keys: {
      issuing: keyFrom(issuing, 'signer.issuing', refuse),
      ...(root === undefined ? {} : { root: keyFrom(root, 'signer.root', refuse) }),
    },
  };
}

function keyFrom(value: unknown, what: string, refuse: Refuse): SignerSettings['keys']['issuing'] {
  const { label, publicKey } = fieldsOf(value, ['label', 'publicKey'], what, refuse);
  const path = textOf(publicKey, `${what}.publicKey`, refuse);
  const name = textOf(label, `${what}.label`, refuse);
  if (!/^[\x21-\x7e]{1,80}$/.test(name)) throw refuse(`${what}.label is not 1 to 80 letters without spaces`);
  if (!isAbsolute(path)) throw refuse(`${what}.publicKey is not an absolute path`);
  return { label: name, publicKey: () => readPublicKey(path, refuse) };
}

async function readPublicKey(path: string, refuse: Refuse): Promise<KeyObject> {
  const bytes = await readFile(path).catch((fault: unknown) => Promise.reject(refuse(`${path} (${errno(fault)})`)));
  let key: KeyObject;
  try {
    const isPem = bytes.includes('-----BEGIN');
    key = isPem ? createPublicKey(bytes) : createPublicKey({ key: bytes, format: 'der', type: 'spki' });
  } catch {
    throw refuse(`${path} is not a public key in PEM or DER`);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw refuse(`${path} is not a key on P-256`);
  return key;
}

function fieldsOf(value: unknown, known: readonly string[], what: string, refuse: Refuse): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(`${what} is not a section`);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refuse(`${what} has no key ${JSON.stringify(unknown.slice(0, 40))}`);
  return value as Fields;
}

function textOf(value: unknown, what: string, refuse: Refuse): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) throw refuse(`${what} is not a text`);
  return value;
}
/** With the name of the file less than what needs two bytes of length in a certificate, which not every small reader has met. */
const CRL_URL_CHARACTERS_MAX = 90;
const SETTINGS_CHARACTERS_MAX = 4_096;
