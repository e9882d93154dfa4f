// Ways to break bytes. Each gives new bytes; what they were is left as it is.

import { joined, varint } from '../harness/bytes.ts';
import type { Chance } from './chance.ts';

type Mutation = (bytes: Uint8Array, chance: Chance) => Uint8Array;

/** Bytes that parsers like to get wrong. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0xfe, 0x23, 0x2b, 0x2f, 0x24, 0xc0, 0xed];

const MUTATIONS: readonly Mutation[] = [
  (bytes, chance) => changed(bytes, chance, (byte) => byte ^ (1 << chance.int(8))),
  (bytes, chance) => changed(bytes, chance, () => chance.pick(EDGES)),
  (bytes, chance) => changed(bytes, chance, () => chance.int(256)),
  (bytes, chance) => bytes.slice(0, chance.int(bytes.length)),
  (bytes, chance) => insert(bytes, chance, chance.bytes(chance.between(1, 4))),
  (bytes, chance) => insert(bytes, chance, new Uint8Array(chance.between(1, 300)).fill(chance.pick(EDGES))),
  (bytes, chance) => remove(bytes, chance.int(bytes.length), chance.between(1, 4)),
  (bytes, chance) => {
    const from = chance.int(bytes.length);
    return insert(bytes, chance, bytes.slice(from, from + chance.between(1, 40)));
  },
  (bytes, chance) => changed(bytes, chance, (byte) => (byte + (chance.oneIn(2) ? 1 : 255)) & 0xff),
  // Another type or other flags before the same body.
  (bytes, chance) => joined([chance.int(256), bytes.subarray(1)]),
  // Inner lengths: two bytes that may be one, off by a little or by all.
  (bytes, chance) => {
    const copy = bytes.slice();
    const at = chance.int(copy.length);
    const length = chance.pick([0, 1, 2, 0xff, 0x7fff, 0xffff, copy.length, copy.length - at - 2]);
    copy[at] = (length >> 8) & 0xff;
    if (at + 1 < copy.length) copy[at + 1] = length & 0xff;
    return copy;
  },
];

/** Breaks bytes in one to three ways. */
export function damaged(bytes: Uint8Array, chance: Chance): Uint8Array {
  let result = bytes;
  for (let times = chance.between(1, 3); times > 0 && result.length > 0; times--) {
    result = chance.pick(MUTATIONS)(result, chance);
  }
  return result;
}

/** Breaks a packet, mostly with a Remaining Length that fits again, so that what is inside is reached. */
export function mutated(bytes: Uint8Array, chance: Chance): Uint8Array {
  const result = damaged(bytes, chance);
  if (chance.int(4) < 3) return refitted(result, bytes);
  return chance.oneIn(4) ? wrongLength(result, chance) : result;
}

/** The frame with its Remaining Length set to what really follows. */
function refitted(bytes: Uint8Array, original: Uint8Array): Uint8Array {
  const header = headerLength(original);
  if (bytes.length < header || header === 0) return bytes;
  const body = bytes.subarray(header);
  return joined([bytes[0] ?? 0, varint(body.length), body]);
}

/** Remaining Length too big, too small, not minimal, or of five bytes (2.1.4). */
function wrongLength(bytes: Uint8Array, chance: Chance): Uint8Array {
  const body = bytes.subarray(Math.min(bytes.length, 2));
  const length = chance.pick([
    varint(body.length + 1),
    varint(Math.max(0, body.length - 1)),
    varint(268_435_455),
    varint(chance.int(2_000_000)),
    Uint8Array.of((body.length & 0x7f) | 0x80, 0x80, 0x00),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x01),
  ]);
  return joined([bytes[0] ?? 0, length, body]);
}

function headerLength(bytes: Uint8Array): number {
  for (let at = 1; at <= 4 && at < bytes.length; at++) if ((bytes[at] ?? 0) < 0x80) return at + 1;
  return 0;
}

function changed(bytes: Uint8Array, chance: Chance, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice();
  const at = chance.int(copy.length);
  copy[at] = change(copy[at] ?? 0);
  return copy;
}

function insert(bytes: Uint8Array, chance: Chance, more: Uint8Array): Uint8Array {
  const at = chance.int(bytes.length + 1);
  return joined([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

function remove(bytes: Uint8Array, at: number, count: number): Uint8Array {
  return joined([bytes.subarray(0, at), bytes.subarray(at + count)]);
}
