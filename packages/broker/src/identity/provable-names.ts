// Which names an authority or an issuer of tokens may prove: what it was given in the configuration, or any.

import { isDeviceName } from '@motte/pki/protocol';
import { type Refusal, refuse } from '../ports/verdict.ts';

/** Each entry is a name, or `BEGINNING*` for all names that begin so; undefined = any name. */
export type ProvableNames = readonly string[] | undefined;

/** Refuses what cannot be a name here, and a name that `who` may not prove. `key` is the configuration's. */
export function checkProvable(name: string, names: ProvableNames, who: string, key: string): Refusal | undefined {
  if (!isDeviceName(name)) {
    const because = `${who} names ${shown(name)}, which is no name here: ${ALLOWED}`;
    return refuse('not-authorized', because, key);
  }
  if (names === undefined || names.some((entry) => covers(entry, name))) return undefined;
  return refuse('not-authorized', `${who} may not prove the name ${name}`, `${key}.names`);
}

function covers(entry: string, name: string): boolean {
  return entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry;
}

/** A peer's text in a sentence: in quotes, escaped, cut. */
export function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text);
}

const ALLOWED = '1 to 63 of letters, digits, dot, underscore, dash';
const SHOWN_MAX = 80;
