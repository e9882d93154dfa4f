// Topic names seen before, found by their bytes: no string is made and nothing is checked twice for a topic in use.
// Bounded: a direct-mapped table whose size is fixed. The hash is seeded and every hit compares all bytes, so the worst a
// hostile publisher gets is a miss, which costs what parsing the topic costs.

import type { TopicName } from './packets/types.ts';
import { readText } from './text.ts';
import { parseTopicName } from './topics.ts';

export class TopicCache {
  readonly #mask: number;
  readonly #seed: number;
  readonly #hashes: Int32Array;
  readonly #keys: (Uint8Array | undefined)[];
  readonly #names: (TopicName | undefined)[];

  /** @param entriesMax rounded down to a power of two. @param seed any 32 bits that a peer cannot know. */
  constructor(entriesMax: number, seed = 0) {
    const size = 1 << Math.min(24, Math.max(0, 31 - Math.clz32(entriesMax)));
    this.#mask = size - 1;
    this.#seed = seed | 0;
    this.#hashes = new Int32Array(size);
    this.#keys = Array.from({ length: size }, () => undefined);
    this.#names = Array.from({ length: size }, () => undefined);
  }

  /** The topic name in these bytes, the same string object as long as it stays cached. Throws PeerError. */
  parse(buffer: Uint8Array, start: number, end: number): TopicName {
    let hash = this.#seed;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (buffer[at] as number), FNV_PRIME);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, MIX);
    hash ^= hash >>> 13;
    const slot = hash & this.#mask;
    if (this.#hashes[slot] === hash) {
      const key = this.#keys[slot];
      if (key !== undefined && isSame(key, buffer, start, end)) return this.#names[slot] as TopicName;
    }
    const name = parseTopicName(readText(buffer, start, end));
    if (end - start <= KEY_BYTES_MAX) {
      this.#hashes[slot] = hash;
      this.#keys[slot] = Uint8Array.prototype.slice.call(buffer, start, end);
      this.#names[slot] = name;
    }
    return name;
  }
}

function isSame(key: Uint8Array, buffer: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (key.length !== length) return false;
  for (let i = 0; i < length; i++) {
    if (key[i] !== buffer[start + i]) return false;
  }
  return true;
}

/** The prime of the 32-bit FNV-1a hash, and a multiplier that spreads its bits for the mask. */
const FNV_PRIME = 0x0100_0193;
const MIX = 0x85eb_ca6b;
/** Ours: longer topics are parsed every time, so that a full cache has a bounded size. */
const KEY_BYTES_MAX = 256;
