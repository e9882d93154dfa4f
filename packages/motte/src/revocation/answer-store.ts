// What responders have said of certificates, until it ends. Bounded: what was asked about longest ago is forgotten, and asked again.

import type { OcspAnswer } from '@motte/pki/status';

export interface KeptAnswer {
  /** `unanswered`: it was asked about, and there was no answer that can be believed. */
  readonly status: OcspAnswer['status'] | 'unanswered';
  readonly superseded: boolean;
  /** Wall-clock time and monotonic time in ms: it is believed until the first of both. */
  readonly goodUntilMs: number;
  readonly endsAtMs: number;
  /** Monotonic: from then on it is asked anew for who is connected. */
  readonly dueAtMs: number;
}

export class AnswerStore {
  readonly #answers = new Map<string, KeptAnswer>();
  readonly #max: number;

  constructor(max: number = ANSWERS_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#answers.size;
  }

  get(key: string): KeptAnswer | undefined {
    return this.#answers.get(key);
  }

  set(key: string, answer: KeptAnswer): void {
    this.#answers.delete(key);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size >= this.#max && oldest !== undefined) this.#answers.delete(oldest);
    this.#answers.set(key, answer);
  }

  clear(): void {
    this.#answers.clear();
  }
}

const ANSWERS_MAX = 50_000;
