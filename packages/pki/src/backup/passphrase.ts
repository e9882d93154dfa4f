// The scrypt recipient of age (age-encryption.org/v1) on Node's own cryptography: half a second on a thread of its own, where
// the package's JavaScript would hold up whatever this process does for seconds on a small board.

import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { type Identity, type Recipient, Stanza } from 'age-encryption';

export function passphraseRecipient(passphrase: string): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(SALT_BYTES);
      const key = await wrapKey(passphrase, salt, LOG_N);
      const cipher = createCipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new Stanza(['scrypt', base64(salt), String(LOG_N)], body)];
    },
  };
}

export function passphraseIdentity(passphrase: string): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const [stanza] = stanzas;
      const [type, salt = '', logN = ''] = stanza?.args ?? [];
      if (stanza === undefined || type !== 'scrypt') return null;
      // Beside it another recipient could open what a passphrase is to guard.
      if (stanzas.length !== 1 || stanza.args.length !== 3 || stanza.body.length !== FILE_KEY_BYTES + TAG_BYTES) {
        throw new Error('its passphrase stanza cannot be');
      }
      const saltBytes = Buffer.from(salt, 'base64');
      const isCanonical = saltBytes.length === SALT_BYTES && base64(saltBytes) === salt && /^[1-9][0-9]?$/.test(logN);
      if (!isCanonical) throw new Error('its passphrase stanza cannot be');
      if (Number(logN) > LOG_N_MAX) throw new Error(`its work factor is ${logN}, at most ${LOG_N_MAX} is tried`);
      const key = await wrapKey(passphrase, saltBytes, Number(logN));
      const decipher = createDecipheriv(CIPHER, key, NONCE, { authTagLength: TAG_BYTES });
      decipher.setAuthTag(stanza.body.subarray(FILE_KEY_BYTES));
      try {
        return Buffer.concat([decipher.update(stanza.body.subarray(0, FILE_KEY_BYTES)), decipher.final()]);
      } catch {
        return null;
      }
    },
  };
}

function wrapKey(passphrase: string, salt: Buffer, logN: number): Promise<Buffer> {
  const cost = { N: 2 ** logN, r: 8, p: 1, maxmem: 2 ** logN * 8 * 128 + 32 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase, Buffer.concat([LABEL, salt]), KEY_BYTES, cost, (fault, key) => {
      if (fault === null) resolve(key);
      else reject(fault);
    });
  });
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

// Constants of the format.
const LABEL = Buffer.from('age-encryption.org/v1/scrypt');
const CIPHER = 'chacha20-poly1305';
/** Each key is used once. */
const NONCE = Buffer.alloc(12);
const SALT_BYTES = 16;
const FILE_KEY_BYTES = 16;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
/** Of ours: the work factor that age itself takes, 256 MiB. */
const LOG_N = 18;
/** 1 GiB; beyond it a file could ask for any amount of memory. */
const LOG_N_MAX = 20;
