// A key file under a passphrase: armored age (age-encryption.org/v1), which the program `age` opens as well.

import { AuthorityFault } from '../protocol/faults.ts';

/** The text of the file. */
export async function sealKey(pem: string, passphrase: string): Promise<string> {
  const { armor, Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  encrypter.addRecipient((await import('../backup/passphrase.ts')).passphraseRecipient(passphrase));
  return `${armor.encode(await encrypter.encrypt(pem))}\n`;
}

/** The PEM in it; throws MOT-0476. */
export async function openSealed(text: string, passphrase: string): Promise<string> {
  const { armor, Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  decrypter.addIdentity((await import('../backup/passphrase.ts')).passphraseIdentity(passphrase));
  try {
    return await decrypter.decrypt(armor.decode(text), 'text');
  } catch {
    throw new AuthorityFault('MOT-0476', 'the passphrase does not open it');
  }
}
