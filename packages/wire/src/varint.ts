// Variable byte integers (1.5.5), the writing side; reading them is part of whoever checks bounds.

/** The largest value four bytes can hold (1.5.5), and so the largest Remaining Length. */
export const VARINT_MAX = 268_435_455;

/** Bytes that the shortest form of `value` takes, 1 to 4. */
export function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/** Writes the shortest form ([MQTT-1.5.5-1]); gives the offset behind it. */
export function writeVarint(buffer: Uint8Array, start: number, value: number): number {
  let at = start;
  let left = value;
  while (left >= 0x80) {
    buffer[at++] = (left & 0x7f) | 0x80;
    left >>>= 7;
  }
  buffer[at++] = left;
  return at;
}
