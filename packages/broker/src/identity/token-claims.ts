// What the claims of a verified token say: a name, roles, an end. Every value is bounded and looked up as the token's own
// field, so that `__proto__` and its kin are claims like any other.

import { type Refusal, refuse } from '../ports/verdict.ts';
import { checkProvable } from './provable-names.ts';
import type { TokenIssuer } from './token-issuers.ts';

export type Claims = Readonly<Record<string, unknown>>;

export interface TokenIdentity {
  readonly name: string;
  readonly roles: readonly string[];
  /** The claim `jti`. */
  readonly id: string | undefined;
  /** Wall-clock time in whole ms; the clocks' difference that the issuer is allowed is added. */
  readonly endsAtMs: number;
}

/** Reads the claims, whose signature, issuer, audience and times were checked; or says what is wrong with them. */
export function readClaims(claims: Claims, issuer: TokenIssuer, nowMs: number): TokenIdentity | Refusal {
  if (Object.keys(claims).length > CLAIMS_MAX) return bad(`the token has more than ${CLAIMS_MAX} claims`);
  const { exp, iat, jti: id } = claims;
  // Seconds may have a fraction (RFC 7519, 2); who keeps the end of a token keeps whole milliseconds.
  const endsAtMs = Math.ceil(Number(exp) * 1000) + issuer.clockSkewMs;
  if (typeof exp !== 'number' || !(endsAtMs <= TIME_MAX)) return bad('the end of the token (exp) is no time');
  if (iat !== undefined && !(typeof iat === 'number' && iat * 1000 <= nowMs + issuer.clockSkewMs)) {
    return bad("the token was made in the future (iat): compare this machine's clock with the issuer's");
  }
  if (id !== undefined && !(typeof id === 'string' && id.length <= VALUE_MAX)) {
    return bad(`the identifier of the token (jti) is not a text of at most ${VALUE_MAX} characters`);
  }
  const name = claimAt(claims, issuer.nameClaim);
  if (typeof name !== 'string' || name === '') return bad(`the token has no claim ${issuer.nameClaim} with a name`);
  const refusal = checkProvable(name, issuer.names, `a token of ${issuer.issuer}`, RULE);
  if (refusal !== undefined) return refusal;
  const roles = rolesOf(claims, issuer);
  return 'allow' in roles ? roles : { name, roles, id, endsAtMs };
}

function rolesOf(claims: Claims, { rolesClaim, roles: byValue }: TokenIssuer): readonly string[] | Refusal {
  const roles = new Set<string>();
  const forAll = byValue.get(EVERY_TOKEN);
  if (forAll !== undefined) roles.add(forAll);
  const given = rolesClaim === undefined ? undefined : claimAt(claims, rolesClaim);
  // `scope` (RFC 8693, 4.2) is one text with spaces between.
  const values: unknown = typeof given === 'string' ? given.split(' ') : (given ?? []);
  if (!Array.isArray(values) || values.length > ROLES_MAX) {
    return bad(`the claim ${rolesClaim} is not a text or a list of at most ${ROLES_MAX}`);
  }
  for (const value of values) {
    if (typeof value !== 'string' || value.length > VALUE_MAX)
      return bad(`the claim ${rolesClaim} lists what is no role`);
    const role = value === EVERY_TOKEN ? undefined : byValue.get(value);
    if (role !== undefined) roles.add(role);
  }
  return [...roles];
}

/** The claim of this name, or, if there is none, the one that its parts lead to: `realm_access.roles`. */
function claimAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let at: unknown = claims;
  for (const part of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Claims)[part];
  }
  return at;
}

function bad(because: string): Refusal {
  return refuse('not-authorized', because, RULE);
}

const RULE = 'identity.tokens';
/** In `roles` of the configuration; as a value in a token it means nothing. */
const EVERY_TOKEN = '*';
const CLAIMS_MAX = 100;
const ROLES_MAX = 64;
const VALUE_MAX = 256;
/** The last moment that a Date can tell. */
const TIME_MAX = 8.64e15;
