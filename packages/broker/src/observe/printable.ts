// Text that came from a peer, made safe for a terminal and a log: no control character, no bidirectional override,
// bounded length. Everything that shows a client's string to a person passes here.

import { identityLabel } from '../ports/identity.ts';

/** Escapes what a terminal could act on and cuts at `max` characters. */
export function printable(text: string, max = PRINTABLE_CHARACTERS_MAX): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text;
  return UNSAFE.test(cut) ? cut.replace(UNSAFE_ALL, escape) : cut;
}

/** An event's identity, `realm LF name` as the core keys it, as people see it. */
export function identityText(key: string): string {
  const [realm, name] = key.split('\n', 2);
  return realm === undefined || name === undefined ? key : identityLabel({ realm, name });
}

/** An object's strings, also those in arrays, through `printable`; other values as they are. */
export function printableFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value === 'string') out[key] = printable(key === 'identity' ? identityText(value) : value);
    else if (Array.isArray(value)) out[key] = value.map((item) => (typeof item === 'string' ? printable(item) : item));
    else out[key] = value;
  }
  return out;
}

function escape(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

const PRINTABLE_CHARACTERS_MAX = 256;

// C0 and C1 controls, DEL, line and paragraph separators, bidirectional marks and overrides, lone surrogates.
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\p{Cs}]/u;
const UNSAFE_ALL = new RegExp(UNSAFE, 'gu');
