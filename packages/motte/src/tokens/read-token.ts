// What a token in a file says of itself: identifier and end. Nothing of it is believed but which token it is; its text is
// never shown.

import { readFileSync, statSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import { said } from '../data/said.ts';

export interface ReadToken {
  /** The claim `jti`. */
  readonly id: string;
  /** Wall-clock time in ms; clocks may differ by as much as any configuration allows. */
  readonly endsAtMs: number;
}

/** Throws MOT-0002 for what is no token of this issuer, or one without identifier or end. */
export function readToken(path: string, issuer: string): ReadToken {
  const refused = (why: string): MotteError => new MotteError('MOT-0002', `--token-file ${path}: ${why}`);
  let claims: Readonly<Record<string, unknown>>;
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw refused(`it is larger than ${FILE_BYTES_MAX} bytes`);
    claims = claimsOf(readFileSync(path, 'latin1').trim());
  } catch (fault) {
    if (fault instanceof MotteError) throw fault;
    throw refused(fault instanceof SyntaxError ? 'it holds no token' : said(fault));
  }
  const { iss, jti, exp } = claims;
  if (iss !== issuer) throw refused('the token in it is of another issuer');
  if (typeof jti !== 'string' || jti === '' || jti.length > ID_CHARACTERS_MAX)
    throw refused('the token has no identifier (jti) that could be kept: revoke by --name');
  if (typeof exp !== 'number' || !Number.isSafeInteger(Math.ceil(exp) * 1000))
    throw refused('the token has no end (exp)');
  return { id: jti, endsAtMs: Math.ceil(exp) * 1000 + CLOCK_SKEW_MS_MAX };
}

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const [, middle = ''] = token.split('.');
  const claims: unknown = JSON.parse(Buffer.from(middle, 'base64url').toString());
  if (typeof claims !== 'object' || claims === null) throw new SyntaxError('no claims');
  return claims as Readonly<Record<string, unknown>>;
}

const FILE_BYTES_MAX = 64 * 1024;
const CLOCK_SKEW_MS_MAX = 600_000;
/** No longer one is taken at a CONNECT either. */
export const ID_CHARACTERS_MAX = 256;
