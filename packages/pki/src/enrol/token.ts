// The text of an enrolment token: versioned, URL-safe, with all that a device has to know. Only the name and the secret
// decide anything; the CA's fingerprint is for the device, URL and roles are for people. Owns no state.

import { createHash, timingSafeEqual } from 'node:crypto';
import { TOKEN_CHARACTERS_MAX } from '../limits.ts';
import { isDeviceName } from '../protocol/names.ts';

export interface EnrolmentToken {
  readonly url: string;
  /** The CA's, SHA-256, lower-case hex. */
  readonly fingerprint: string;
  readonly name: string;
  readonly roles: readonly string[];
  /** 128 bits, base64url. */
  readonly secret: string;
}

/** What the authority needs of whatever form a token came in. */
export interface ShownToken {
  readonly name: string;
  readonly secret: string;
  /** Absent in the short form. */
  readonly fingerprint: string | undefined;
}

/** `motte1_` and base64url of: fingerprint, secret, name, roles and URL with their lengths, and a checksum. */
export function encodeToken({ url, fingerprint, name, roles, secret }: EnrolmentToken): string {
  const texts = [name, roles.join(','), url].map((text) => {
    const bytes = Buffer.from(text);
    if (bytes.length > PART_BYTES_MAX) throw new RangeError(`${text.slice(0, 40)} is too long for a token`);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const body = Buffer.concat([Buffer.from(fingerprint, 'hex'), Buffer.from(secret, 'base64url'), ...texts]);
  return PREFIX + Buffer.concat([body, checksum(body)]).toString('base64url');
}

/** The token in the text, or undefined if it is none or was not copied whole. */
export function decodeToken(text: string): EnrolmentToken | undefined {
  if (!text.startsWith(PREFIX) || text.length > TOKEN_CHARACTERS_MAX) return undefined;
  const encoded = text.slice(PREFIX.length);
  if (!/^[A-Za-z0-9_-]+$/.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, 'base64url');
  if (bytes.length < FIXED_BYTES + CHECKSUM_BYTES) return undefined;
  const body = bytes.subarray(0, -CHECKSUM_BYTES);
  if (!timingSafeEqual(checksum(body), bytes.subarray(-CHECKSUM_BYTES))) return undefined;
  const texts: string[] = [];
  let at = FIXED_BYTES;
  while (at < body.length) {
    const length = body[at] ?? 0;
    texts.push(body.toString('utf8', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const [name = '', roles = '', url = ''] = texts;
  if (at !== body.length || texts.length !== 3 || !isDeviceName(name)) return undefined;
  return {
    url,
    name,
    roles: roles === '' ? [] : roles.split(','),
    fingerprint: body.toString('hex', 0, FINGERPRINT_BYTES),
    secret: body.subarray(FINGERPRINT_BYTES, FIXED_BYTES).toString('base64url'),
  };
}

/** A token in full, or NAME:SECRET as HTTP Basic carries it; undefined for anything else. */
export function readShownToken(text: string): ShownToken | undefined {
  const whole = decodeToken(text);
  if (whole !== undefined) return whole;
  const [, name = '', secret = ''] = /^([^:]{1,63}):([A-Za-z0-9_-]{22})$/.exec(text) ?? [];
  return isDeviceName(name) ? { name, secret, fingerprint: undefined } : undefined;
}

/** What is kept of a secret: 128 random bits need no slow hash. Lower-case hex. */
export function hashSecret(name: string, secret: string): string {
  return createHash('sha256').update(`motte enrolment token 1\n${name}\n${secret}`).digest('hex');
}

/** In constant time. */
export function secretFits(name: string, secret: string, hash: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(name, secret), 'hex'), Buffer.from(hash, 'hex'));
}

/** For slips in copying, not for security. */
function checksum(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, CHECKSUM_BYTES);
}

const PREFIX = 'motte1_';
const FINGERPRINT_BYTES = 32;
const SECRET_BYTES = 16;
const FIXED_BYTES = FINGERPRINT_BYTES + SECRET_BYTES;
const CHECKSUM_BYTES = 4;
const PART_BYTES_MAX = 255;
