// The envelope of every value: format of the record, checksum over key and content, content. A value that was damaged,
// or stands under a key it was not written for, is recognised and never taken for what it may once have been.

import { crc32 } from 'node:zlib';

/** Raised when the content of any record changes; older ones are read, newer ones refused at opening. */
export const RECORD_FORMAT = 1;

/** Before the content: one byte of format, four of checksum. */
export const SEAL_BYTES = 5;

/** A record whose bytes are not what was written; `why` says what is wrong. */
export class DamagedRecord extends Error {
  override readonly name = 'DamagedRecord';
}

/** The value for a key; `content` is copied. */
export function seal(key: Uint8Array, content: Uint8Array): Uint8Array {
  const value = new Uint8Array(SEAL_BYTES + content.length);
  value.set(content, SEAL_BYTES);
  value[0] = RECORD_FORMAT;
  const sum = crc32(content, crc32(key, RECORD_FORMAT));
  value[1] = sum >>> 24;
  value[2] = (sum >>> 16) & 0xff;
  value[3] = (sum >>> 8) & 0xff;
  value[4] = sum & 0xff;
  return value;
}

/** The content of a value, not copied; throws DamagedRecord. */
export function unseal(key: Uint8Array, value: Uint8Array): Uint8Array {
  if (value.length < SEAL_BYTES) throw new DamagedRecord(`it has ${value.length} bytes`);
  const [format, a, b, c, d] = value as unknown as [number, number, number, number, number];
  if (format !== RECORD_FORMAT) throw new DamagedRecord(`its format is ${format}`);
  const content = value.subarray(SEAL_BYTES);
  const sum = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  if (crc32(content, crc32(key, format)) !== sum) throw new DamagedRecord('its checksum is wrong');
  return content;
}
