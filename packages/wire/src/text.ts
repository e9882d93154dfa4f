// UTF-8 encoded strings (5.0: 1.5.4, 3.1.1: 1.5.3): which bytes are text, reading them and writing them.
// Also refused are the code points a sender SHOULD NOT use (5.4.9): controls and non-characters.

import { asciiText, utf8Text } from './host-buffer.ts';
import { malformed, type PeerError } from './peer-error.ts';

/** Throws PeerError unless the bytes are text that MQTT allows; true if all of them are ASCII. */
export function checkText(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = buffer[at] as number;
    if (byte < 0x20 || byte === 0x7f) throw refusedPoint(byte);
    if (byte >= 0x80) {
      checkWideText(buffer, at, end);
      return false;
    }
  }
  return true;
}

/** The text between two offsets. Throws PeerError where `checkText` does. */
export function readText(buffer: Uint8Array, start: number, end: number): string {
  return checkText(buffer, start, end) ? asciiText(buffer, start, end) : utf8Text(buffer, start, end);
}

/** How many bytes of UTF-8 `text` takes. Throws RangeError if a peer would have to refuse it. */
export function textLength(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit < 0x7f) continue;
    const point = text.codePointAt(i) as number;
    if (isRefused(point)) throw new RangeError(`text holds the code point U+${hex(point)}, which MQTT does not allow`);
    if (point > 0xffff) {
      length += 2;
      i += 1;
    } else if (point > 0x7ff) length += 2;
    else length += 1;
  }
  return length;
}

/** Writes text that `textLength` has accepted; gives the offset behind it. */
export function writeText(buffer: Uint8Array, start: number, text: string): number {
  let at = start;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number;
    if (point < 0x80) {
      buffer[at++] = point;
      continue;
    }
    if (point < 0x800) {
      buffer[at++] = 0xc0 | (point >> 6);
    } else {
      if (point < 0x10000) {
        buffer[at++] = 0xe0 | (point >> 12);
      } else {
        buffer[at++] = 0xf0 | (point >> 18);
        buffer[at++] = 0x80 | ((point >> 12) & 0x3f);
        i += 1;
      }
      buffer[at++] = 0x80 | ((point >> 6) & 0x3f);
    }
    buffer[at++] = 0x80 | (point & 0x3f);
  }
  return at;
}

/** U+0000, other controls, surrogates and non-characters. */
export function isRefused(point: number): boolean {
  return (
    point < 0x20 ||
    (point >= 0x7f && point <= 0x9f) ||
    (point >= 0xd800 && point <= 0xdfff) ||
    (point >= 0xfdd0 && point <= 0xfdef) ||
    (point & 0xfffe) === 0xfffe
  );
}

function checkWideText(buffer: Uint8Array, start: number, end: number): void {
  let at = start;
  while (at < end) {
    const lead = buffer[at] as number;
    const size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size === 0 || at + size > end) throw illFormed();
    let point = size === 1 ? lead : lead & (0x7f >> size);
    for (let i = 1; i < size; i++) {
      const next = buffer[at + i] as number;
      if ((next & 0xc0) !== 0x80) throw illFormed();
      point = (point << 6) | (next & 0x3f);
    }
    // An over-long form hides a small code point; beyond U+10FFFF there is nothing; surrogates are not characters.
    const overlong = (size === 3 && point < 0x800) || (size === 4 && point < 0x10000);
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw illFormed();
    if (isRefused(point)) throw refusedPoint(point);
    at += size;
  }
}

function illFormed(): PeerError {
  return malformed('MQTT-1.5.4-1', 'a string is not well-formed UTF-8');
}

function refusedPoint(point: number): PeerError {
  if (point === 0) return malformed('MQTT-1.5.4-2', 'a string holds U+0000');
  return malformed('1.5.4', `a string holds the control or non-character U+${hex(point)}`);
}

function hex(point: number): string {
  return point.toString(16).toUpperCase().padStart(4, '0');
}
