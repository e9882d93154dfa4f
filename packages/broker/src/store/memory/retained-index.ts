// Retained messages in order of their topics, level by level, so that a filter is answered by jumping from one possible
// topic to the next instead of looking at all. Owns order and matching (4.7), nothing of commits or limits.
//
// Order is that of the topic with `/` replaced by U+0000, which no topic contains [MQTT-4.7.3-2]: everything below a
// level then stands together, right after the level itself. A scan is described by the key where it goes on, so nothing is
// kept for it between pages and what is added or removed meanwhile does it no harm.

import type { TopicFilter, TopicName } from '@motte/wire';
import type { Message } from '../../ports/message.ts';

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
  #bytes = 0;

  get size(): number {
    return this.#byTopic.size;
  }

  /** Bytes of topics, payloads and properties. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the topic's message; undefined = it has none. */
  bytesOf(topic: TopicName): number | undefined {
    const entry = this.#byTopic.get(topic);
    return entry === undefined ? undefined : messageBytes(entry.message);
  }

  put(message: Message): void {
    const known = this.#byTopic.get(message.topic);
    const entry = { key: known?.key ?? keyOf(message.topic), message };
    this.#byTopic.set(message.topic, entry);
    this.#bytes += messageBytes(message) - (known === undefined ? 0 : messageBytes(known.message));
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
    this.#bytes -= messageBytes(entry.message);
    const at = this.#chunkOf(entry.key);
    const chunk = this.#chunks[at] as Entry[];
    chunk.splice(lowerBound(chunk, entry.key), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Up to `max` messages that match, from `from` on; looks at a bounded number of topics, whatever the filter. */
  page(filter: TopicFilter, from: string | undefined, max: number): RetainedPage {
    if (!filter.includes('+') && !filter.endsWith('#')) {
      const entry = this.#byTopic.get(filter as string as TopicName);
      return { messages: entry === undefined ? [] : [entry.message], next: undefined };
    }
    const levels = filter.split('/');
    const messages: Message[] = [];
    let wanted: string | undefined = from ?? fixedLevels(levels, 0);
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
        wanted += SEPARATOR;
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

/** Bytes that a message takes of a limit. */
export function messageBytes(message: Message): number {
  return message.topicBytes.length + message.payload.length + message.properties.length;
}

function keyOf(topic: TopicName): string {
  return topic.replaceAll('/', SEPARATOR);
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

/**
 * The key itself if the filter matches it, else the least key behind it that could match, or undefined if none can.
 */
function nextAfter(levels: readonly string[], key: string): string | undefined {
  const [first] = levels;
  // [MQTT-4.7.2-1]: over all topics that start with `$` at once, to what sorts right behind them.
  if ((first === '#' || first === '+') && key.charCodeAt(0) === DOLLAR) return '%';
  let start = 0;
  let plusEnd = -1;
  for (let i = 0; i < levels.length; i++) {
    const wanted = levels[i] as string;
    if (wanted === '#') return key;
    // The key ends above what the filter asks for: what matches lies below it.
    if (start > key.length) return key + SEPARATOR + fixedLevels(levels, i);
    const separator = key.indexOf(SEPARATOR, start);
    const end = separator === -1 ? key.length : separator;
    if (wanted === '+') {
      plusEnd = end;
    } else {
      const level = key.slice(start, end);
      if (level < wanted) return key.slice(0, start) + fixedLevels(levels, i);
      if (level > wanted) return behindLevel(key, plusEnd);
    }
    start = end + 1;
  }
  return start > key.length ? key : behindLevel(key, plusEnd);
}

/** What comes behind all that shares the key's levels up to `end`. */
function behindLevel(key: string, end: number): string | undefined {
  return end === -1 ? undefined : key.slice(0, end) + BEHIND_SEPARATOR;
}

/** The filter's levels from `start` up to its next wildcard. */
function fixedLevels(levels: readonly string[], start: number): string {
  let end = start;
  while (end < levels.length && levels[end] !== '+' && levels[end] !== '#') end += 1;
  return levels.slice(start, end).join(SEPARATOR);
}

const SEPARATOR = '\u0000';
const BEHIND_SEPARATOR = '\u0001';
const DOLLAR = 0x24;
const CHUNK_MAX = 512;
/** Topics looked at per page. */
const STEPS_MAX = 1000;
