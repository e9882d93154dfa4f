// The format of the whole store, as its first record says it.

import { metaKey } from './keys.ts';

/** The store was not written by this program, or by a newer one; nothing was changed. */
export class FormatFault extends Error {
  override readonly name = 'FormatFault';
}

/** Raised when keys or records change; openings of older ones migrate, of newer ones refuse. */
export const STORE_FORMAT = 1;
export const FORMAT_KEY = metaKey('format');
/** The value of that key. */
export const FORMAT_VALUE = new TextEncoder().encode(`motte store ${STORE_FORMAT}`);

/** Throws FormatFault unless the value names a format that this version reads. */
export function assertFormat(value: Uint8Array): void {
  const version = /^motte store (\d{1,9})$/.exec(new TextDecoder().decode(value))?.[1];
  if (version === undefined) throw new FormatFault('it does not say that it is a store of Motte');
  if (Number(version) === STORE_FORMAT) return;
  throw new FormatFault(`its format is ${version}, this version reads ${STORE_FORMAT}: a newer Motte wrote it`);
}
