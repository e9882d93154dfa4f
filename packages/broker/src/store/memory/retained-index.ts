// Retained messages in order of their topics, level by level, so that a filter is answered by jumping from one possible
// topic to the next instead of looking at all. Owns order and matching (4.7), nothing of commits or limits.
//
// A scan is described by the place where it goes on, so nothing is kept for it between pages and what is added or removed
// meanwhile does it no harm.

import type { TopicFilter, TopicName } from '@motte/wire';
import { type Message, sizeOf } from '../../ports/message.ts';
import type { RetainedFacts, RetainedTotals } from '../../ports/store.ts';
import { behind, firstOf, nextAfter, orderOf } from '../retained-order.ts';

interface Entry {
  readonly key: string;
  readonly message: Message;
}

export interface RetainedPage {
  readonly messages: readonly Message[];
  /** Where to go on; undefined = there is no more. A page may be empty and yet not be the last. */
  readonly next: string | undefined;
}

export class RetainedIndex {
  readonly #byTopic = new Map<TopicName, Entry>();
  /** Sorted, none empty, at most CHUNK_MAX entries each: an insertion moves no more than that. */
  readonly #chunks: Entry[][] = [];
  readonly #byOwner = new Map<string, RetainedTotals>();
  #bytes = 0;

  get size(): number {
    return this.#byTopic.size;
  }

  /** Bytes of topics, payloads and properties. */
  get bytes(): number {
    return this.#bytes;
  }

  at(topic: TopicName): RetainedFacts | undefined {
    const message = this.#byTopic.get(topic)?.message;
    if (message === undefined) return undefined;
    return { bytes: sizeOf(message), owner: message.owner, expiresAtMs: message.expiresAtMs };
  }

  totalsOf(owner: string): RetainedTotals {
    return this.#byOwner.get(owner) ?? NOTHING;
  }

  put(message: Message): void {
    const known = this.#byTopic.get(message.topic);
    const entry = { key: known?.key ?? orderOf(message.topic), message };
    this.#byTopic.set(message.topic, entry);
    if (known !== undefined) this.#count(known.message, -1);
    this.#count(message, 1);
    const at = this.#chunkOf(entry.key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([entry]);
      return;
    }
    const place = lowerBound(chunk, entry.key);
    chunk.splice(place, known === undefined ? 0 : 1, entry);
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_MAX >> 1));
  }

  /** Forgets the topic's message; with `expiredAtMs` only one that expires no later. */
  remove(topic: TopicName, expiredAtMs?: number): void {
    const entry = this.#byTopic.get(topic);
    if (entry === undefined) return;
    const { expiresAtMs } = entry.message;
    if (expiredAtMs !== undefined && (expiresAtMs === 0 || expiresAtMs > expiredAtMs)) return;
    this.#byTopic.delete(topic);
    this.#count(entry.message, -1);
    const at = this.#chunkOf(entry.key);
    const chunk = this.#chunks[at] as Entry[];
    chunk.splice(lowerBound(chunk, entry.key), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  #count(message: Message, sign: 1 | -1): void {
    const bytes = sign * sizeOf(message);
    this.#bytes += bytes;
    const { owner } = message;
    const totals = this.totalsOf(owner);
    if (totals.messages + sign === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, { messages: totals.messages + sign, bytes: totals.bytes + bytes });
  }

  /** Up to `max` messages that match, from `from` on; looks at a bounded number of topics, whatever the filter. */
  page(filter: TopicFilter, from: string | undefined, max: number): RetainedPage {
    if (!filter.includes('+') && !filter.endsWith('#')) {
      const entry = this.#byTopic.get(filter as string as TopicName);
      return { messages: entry === undefined ? [] : [entry.message], next: undefined };
    }
    const levels = filter.split('/');
    const messages: Message[] = [];
    let wanted: string | undefined = from ?? firstOf(levels);
    let at = this.#chunkOf(wanted);
    let place = lowerBound(this.#chunks[at] ?? [], wanted);
    for (let step = 0; step < STEPS_MAX && messages.length < max; step++) {
      if (place >= (this.#chunks[at]?.length ?? 0)) {
        at += 1;
        place = 0;
      }
      const entry: Entry | undefined = this.#chunks[at]?.[place];
      if (entry === undefined) return { messages, next: undefined };
      wanted = nextAfter(levels, entry.key);
      if (wanted === undefined) return { messages, next: undefined };
      if (wanted === entry.key) {
        messages.push(entry.message);
        wanted = behind(wanted);
        place += 1;
      } else {
        at = this.#chunkOf(wanted);
        place = lowerBound(this.#chunks[at] as Entry[], wanted);
      }
    }
    return { messages, next: wanted };
  }

  /** The last chunk that starts at or before the key, else the first. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const [first] = this.#chunks[middle] as [Entry];
      if (first.key <= key) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** Where in the chunk the first entry at or behind the key stands. */
function lowerBound(chunk: readonly Entry[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] as Entry).key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

const NOTHING: RetainedTotals = Object.freeze({ messages: 0, bytes: 0 });

const CHUNK_MAX = 512;
/** Topics looked at per page. */
const STEPS_MAX = 1000;
