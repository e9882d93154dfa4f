// The publish verdicts that one client's rights remember: bounded by what they weigh, in two generations, so that topics
// in use stay and invented ones pass.

import type { TopicName } from '@motte/wire';
import type { Verdict } from '../ports/verdict.ts';

/** `ask` = depends on each message. */
export type RememberedVerdict = Verdict | 'ask';

export class VerdictMemory {
  #current = new Map<TopicName, RememberedVerdict>();
  #previous: Map<TopicName, RememberedVerdict> | undefined;
  #weight = 0;

  get size(): number {
    return this.#current.size + (this.#previous?.size ?? 0);
  }

  find(topic: TopicName): RememberedVerdict | undefined {
    const verdict = this.#current.get(topic);
    if (verdict !== undefined || this.#previous === undefined) return verdict;
    const older = this.#previous.get(topic);
    if (older !== undefined) this.#previous.delete(topic);
    return older === undefined ? undefined : this.remember(topic, older);
  }

  remember(topic: TopicName, verdict: RememberedVerdict): RememberedVerdict {
    const weight =
      ENTRY_WEIGHT + topic.length + (typeof verdict === 'object' && !verdict.allow ? verdict.because.length : 0);
    if (this.#weight + weight > GENERATION_WEIGHT_MAX && this.#weight > 0) {
      this.#previous = this.#current;
      this.#current = new Map();
      this.#weight = 0;
    }
    if (weight > GENERATION_WEIGHT_MAX) return verdict;
    this.#current.set(topic, verdict);
    this.#weight += weight;
    return verdict;
  }

  /** The topics that it knows, those that were asked for lately last. */
  *topics(): Iterable<TopicName> {
    if (this.#previous !== undefined) yield* this.#previous.keys();
    yield* this.#current.keys();
  }

  clear(): void {
    this.#current.clear();
    this.#previous = undefined;
    this.#weight = 0;
  }
}

/** In characters: some 200 topics of 40 characters per generation. */
const GENERATION_WEIGHT_MAX = 16_384;
const ENTRY_WEIGHT = 40;
