// Frames by hand, for packets that the codec rightly refuses to make.

import { bytesOf } from './raw-client.ts';

/** A byte, bytes, or hexadecimal. */
export type Part = number | Uint8Array | string;

/** First byte, remaining length as it should be, then the parts. */
export function frame(firstByte: number, ...parts: readonly Part[]): Uint8Array {
  const body = joined(parts);
  return joined([firstByte, varint(body.length), body]);
}

/** A UTF-8 string with its length (1.5.4); bytes are taken as they are, valid or not. */
export function text(value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return joined([uint16(bytes.length), bytes]);
}

export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

export function uint32(value: number): Uint8Array {
  return joined([uint16(value >>> 16), uint16(value & 0xffff)]);
}

/** A property block: its length, then the parts (2.2.2). */
export function block(...parts: readonly Part[]): Uint8Array {
  const body = joined(parts);
  return joined([varint(body.length), body]);
}

/** A variable byte integer in its shortest form (1.5.5). */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) | (rest > 127 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}

/** The variable header of an MQTT 5.0 CONNECT: name, version, flags, keep-alive 0, then its properties. */
export function connectHeader(flags: number, properties: Uint8Array = block()): Uint8Array {
  return joined([text('MQTT'), 5, flags, uint16(0), properties]);
}

export function joined(parts: readonly Part[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => {
      if (typeof part === 'number') return [part];
      return [...(typeof part === 'string' ? bytesOf(part) : part)];
    }),
  );
}
