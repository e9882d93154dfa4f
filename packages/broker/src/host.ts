// What this host lends to the broker: its clocks, its randomness, its digest. The core is given these and knows no other.

import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { Clock, Random } from './ports/clock.ts';

export const HOST_CLOCK: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

const CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const HOST_RANDOM: Random = {
  token: (length) => Array.from({ length }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join(''),
  uint32: () => randomBytes(4).readUInt32LE(0),
};

/** The key of a session: the same for the same identity and client identifier on every node, and of one length. */
export function sessionKey(identityKey: string, clientId: string): string {
  return createHash('sha256').update(`${identityKey}\n${clientId}`).digest('base64url');
}
