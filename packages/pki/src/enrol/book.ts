// What is open to be enrolled: tokens, the join window, requests that wait for approval. One file, `<pki>/enrolment.json`,
// replaced whole: durable before anything follows from it. Not in a backup, so a restore voids all of it.

import { join } from 'node:path';
import { BOOK_BYTES_MAX } from '../limits.ts';
import { readPrivateFile, writePrivateFile } from '../private-files.ts';
import type { RequestKind } from '../protocol/enrolment.ts';
import { AuthorityFault } from '../protocol/faults.ts';

export interface TokenEntry {
  readonly name: string;
  readonly roles: readonly string[];
  /** Of name and secret; the secret itself is not kept. */
  readonly hash: string;
  readonly madeAtMs: number;
  readonly endsAtMs: number;
  readonly wrongTries: number;
  /** Fingerprint of the key that it certified, bound before the certificate was issued; empty until then. */
  readonly key: string;
  readonly redeemedAtMs: number;
}

export interface RequestEntry {
  readonly id: string;
  readonly kind: RequestKind;
  readonly name: string;
  readonly roles: readonly string[];
  /** Fingerprint of the key that asks. */
  readonly key: string;
  readonly askedAtMs: number;
  readonly state: 'waiting' | 'approved' | 'denied';
  /** When it was first fetched; 0 until then. */
  readonly fetchedAtMs: number;
}

export interface Enrolments {
  readonly tokens: readonly TokenEntry[];
  readonly requests: readonly RequestEntry[];
  readonly join: { readonly roles: readonly string[]; readonly endsAtMs: number };
}

const NAME = 'enrolment.json';
const FORMAT = 1;
const NONE: Enrolments = { tokens: [], requests: [], join: { roles: [], endsAtMs: 0 } };

export class EnrolmentBook {
  readonly #pki: string;
  #now: Enrolments;
  #waiting: (() => void)[] = [];

  private constructor(pki: string, now: Enrolments) {
    this.#pki = pki;
    this.#now = now;
  }

  /** Empty where there is no file; MOT-0423 or MOT-0443. */
  static async open(pki: string): Promise<EnrolmentBook> {
    const path = join(pki, NAME);
    const text = await readPrivateFile(path, BOOK_BYTES_MAX);
    return new EnrolmentBook(pki, text === undefined ? NONE : parseEnrolments(text, path));
  }

  get now(): Enrolments {
    return this.#now;
  }

  /** Durable when it resolves; MOT-0428 otherwise, and all stays as it was. One call at a time. */
  async change(part: Partial<Enrolments>): Promise<void> {
    const next = { ...this.#now, ...part };
    await writePrivateFile(this.#pki, NAME, `${JSON.stringify({ format: FORMAT, ...next })}\n`);
    this.#now = next;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Resolves at the next change, or after `ms`. */
  changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((one) => one !== wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      timer.unref();
      this.#waiting.push(wake);
    });
  }
}

function parseEnrolments(text: string, path: string): Enrolments {
  try {
    const { format, tokens, requests, join: window } = JSON.parse(text) as Partial<Enrolments & { format: number }>;
    const whole =
      format === FORMAT &&
      Array.isArray(tokens) &&
      Array.isArray(requests) &&
      tokens.every(({ name, hash }) => typeof name === 'string' && /^[0-9a-f]{64}$/.test(String(hash))) &&
      requests.every(({ id, name, key }) => [id, name, key].every((one) => typeof one === 'string')) &&
      typeof window?.endsAtMs === 'number';
    if (whole) return { tokens, requests, join: window };
  } catch {
    // As any other damage.
  }
  throw new AuthorityFault('MOT-0443', path);
}
