import { describe, expect, it } from 'vitest';
import { readClaims } from './token-claims.ts';
import type { TokenIssuer } from './token-issuers.ts';

const issuer: TokenIssuer = {
  issuer: 'plant',
  audience: 'motte',
  algorithms: ['ES256'],
  // Claims are read once the signature was checked.
  keys: undefined as unknown as TokenIssuer['keys'],
  nameClaim: 'sub',
  rolesClaim: undefined,
  roles: new Map(),
  names: undefined,
  kind: 'device',
  clockSkewMs: 60_000,
};
const NOW_MS = 1_900_000_000_000;

describe('the end of a token', () => {
  it.each([1_900_000_100, 1_900_000_100.0005, 1_900_000_100.123_456])('%d seconds is a whole number of ms', (exp) => {
    const read = readClaims({ sub: 'pump', exp }, issuer, NOW_MS);
    const endsAtMs = 'allow' in read ? Number.NaN : read.endsAtMs;
    expect(Number.isSafeInteger(endsAtMs)).toBe(true);
    expect(endsAtMs).toBeGreaterThanOrEqual(exp * 1000 + issuer.clockSkewMs);
    expect(endsAtMs).toBeLessThan(exp * 1000 + issuer.clockSkewMs + 1);
  });
});
