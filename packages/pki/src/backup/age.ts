// Encryption of backups: the age format (age-encryption.org/v1) by the package age-encryption, as streams, to recipients or
// with a passphrase. Loads the library only when it is used.

import { ReadableStream } from 'node:stream/web';
import { AuthorityFault } from '../protocol/faults.ts';

/** Whom a backup is for: recipients, or else a passphrase. */
export interface BackupTo {
  /** `age1…`; empty = the passphrase counts. */
  readonly recipients: readonly string[];
  readonly passphrase: string;
}

/** What a backup is opened with; each is tried. */
export interface BackupKeys {
  /** `AGE-SECRET-KEY-1…`. */
  readonly identities: readonly string[];
  /** Empty = none. */
  readonly passphrase: string;
}

type Bytes = AsyncIterable<Uint8Array>;

/** Throws MOT-0439 for a recipient that is none. */
export async function checkRecipients(recipients: readonly string[]): Promise<void> {
  const { Encrypter } = await import('age-encryption');
  for (const recipient of recipients) {
    try {
      new Encrypter().addRecipient(recipient);
    } catch {
      throw new AuthorityFault('MOT-0439', `${JSON.stringify(recipient.slice(0, 80))} is not an age recipient`);
    }
  }
}

/** Throws MOT-0439 for an identity that is none. */
export async function checkIdentities(identities: readonly string[]): Promise<void> {
  const { Decrypter } = await import('age-encryption');
  for (const identity of identities) {
    try {
      new Decrypter().addIdentity(identity);
    } catch {
      // The text is a secret, or was meant to be one.
      throw new AuthorityFault('MOT-0439', 'an identity is not of the form AGE-SECRET-KEY-1…');
    }
  }
}

/** The ciphertext; nothing of `plain` is read before its first chunk is wanted. */
export async function encryptFor({ recipients, passphrase }: BackupTo, plain: Bytes): Promise<Bytes> {
  if (recipients.length === 0 && passphrase === '') throw new AuthorityFault('MOT-0439', 'nobody could open it');
  await checkRecipients(recipients);
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  if (recipients.length === 0)
    encrypter.addRecipient((await import('./passphrase.ts')).passphraseRecipient(passphrase));
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(ReadableStream.from(plain));
}

/** The plaintext. Throws MOT-0440 if no key fits, and so does the stream where it is not what was encrypted. */
export async function decryptWith({ identities, passphrase }: BackupKeys, cipher: Bytes): Promise<Bytes> {
  await checkIdentities(identities);
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  if (passphrase !== '') decrypter.addIdentity((await import('./passphrase.ts')).passphraseIdentity(passphrase));
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return authentic(await decrypter.decrypt(ReadableStream.from(cipher)));
  } catch (fault) {
    throw unopened(fault);
  }
}

async function* authentic(plain: Bytes): AsyncGenerator<Uint8Array> {
  try {
    yield* plain;
  } catch (fault) {
    throw unopened(fault);
  }
}

function unopened(fault: unknown): unknown {
  if (fault instanceof AuthorityFault) return fault;
  const { message } = fault as Error;
  const why = message.includes('no identity matched') ? 'this key or passphrase does not open it' : message;
  return new AuthorityFault('MOT-0440', why, { cause: fault });
}
