// What a new password must be. Length is what counts against guessing (NIST SP 800-63B-4, 3.1.1); no kinds of characters are
// demanded, and it is taken as it is typed.

import { MotteError } from '@motte/admin/errors';

/** Throws MOT-0623 for one that is not good enough; the message never holds it. */
export function checkNewPassword(name: string, password: string): void {
  const why = faultOf(name, password);
  if (why !== undefined) throw new MotteError('MOT-0623', why);
}

function faultOf(name: string, password: string): string | undefined {
  const characters = [...password];
  if (characters.length < CHARACTERS_MIN) {
    return `it has ${characters.length} characters, and needs ${CHARACTERS_MIN} at the least`;
  }
  if (Buffer.byteLength(password) > BYTES_MAX) return `it has more than ${BYTES_MAX} bytes`;
  if (/\p{Cc}|\p{Cs}/u.test(password)) return 'it holds a control character';
  if (new Set(characters).size < DISTINCT_MIN) return 'it is a few characters over and over';
  const lower = password.toLowerCase();
  if (lower.replaceAll(name.toLowerCase(), '').length < CHARACTERS_MIN / 2) return 'it is little more than the name';
  return undefined;
}

const CHARACTERS_MIN = 12;
const DISTINCT_MIN = 5;
/** More no login takes. */
const BYTES_MAX = 1024;
