// Backups as the authority's socket gives them: begun once, then read piece by piece until the end. Only ciphertext leaves.
// One at a time: a later one ends an earlier one, and nothing but its place in the lists is held for it.

import type { Authorities } from '../issue/generations.ts';
import type { LineFile } from '../issue/line-file.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { encryptFor } from './age.ts';
import { authorityPart, readCaFiles } from './authority-part.ts';

interface UnderWay {
  readonly id: string;
  readonly cipher: AsyncIterator<Uint8Array>;
  /** Encrypted and not given out yet. */
  rest: Uint8Array;
}

export class BackupDesk {
  readonly #pki: string;
  readonly #lists: readonly [LineFile, LineFile];
  readonly #authorities: () => Authorities;
  #underWay: UnderWay | undefined = undefined;

  /** `lists`: the ledger's lines, and those of what was revoked. */
  constructor(pki: string, lists: readonly [LineFile, LineFile], authorities: () => Authorities) {
    this.#pki = pki;
    this.#lists = lists;
    this.#authorities = authorities;
  }

  /** Recipients are separated by spaces; MOT-0439 where one is none, or nobody could open it. */
  async begin({ id, recipients, passphrase }: { id: string; recipients: string; passphrase: string }): Promise<void> {
    if (!/^[0-9a-f]{32}$/.test(id)) throw new AuthorityFault('MOT-0438', 'its id is not 32 hex digits');
    await this.end();
    const { generations, serving } = this.#authorities();
    const files = await readCaFiles(this.#pki, generations);
    const plain = authorityPart(files, this.#lists, { id, ca: serving.fingerprint });
    const to = { recipients: recipients.split(' ').filter((one) => one !== ''), passphrase };
    const cipher = (await encryptFor(to, plain))[Symbol.asyncIterator]();
    this.#underWay = { id, cipher, rest: new Uint8Array(0) };
  }

  /** The next bytes in base64; empty = that was all. MOT-0438 where no backup of this id is under way. */
  async read(id: string): Promise<string> {
    const underWay = this.#underWay;
    if (underWay?.id !== id) throw new AuthorityFault('MOT-0438', 'it was not begun, or another one ended it');
    while (underWay.rest.length === 0) {
      const { done, value } = await underWay.cipher.next();
      if (done === true) {
        this.#underWay = undefined;
        return '';
      }
      underWay.rest = value;
    }
    const piece = underWay.rest.subarray(0, PIECE_BYTES);
    underWay.rest = underWay.rest.subarray(PIECE_BYTES);
    return Buffer.from(piece).toString('base64');
  }

  /** Whatever was under way is over. */
  async end(): Promise<void> {
    const cipher = this.#underWay?.cipher;
    this.#underWay = undefined;
    await cipher?.return?.();
  }
}

/** In base64 and with what is around it, it fits into a line. */
const PIECE_BYTES = 45_000;
