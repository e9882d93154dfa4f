// Proves an identity by a signed token (JWT, RFC 7519, after RFC 8725): as the password of CONNECT, or as the whole data of
// the authentication method `JWT`, which also proves again and so extends the connection. The signature is jose's business;
// which issuer, which algorithm, which key and what the claims may say is decided here. A token is never shown or logged.

import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { IdentityDirectory } from '../ports/directory.ts';
import type { Authentication, Evidence, Proven } from '../ports/guards.ts';
import { TOKEN_REALM } from '../ports/identity.ts';
import { checkRevoked } from '../ports/token-desk.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';
import type { Proof } from './authenticate.ts';
import { withListenerRole } from './listener-role.ts';
import { type AuthenticationMethod, TOKEN_METHOD } from './methods.ts';
import { shown } from './provable-names.ts';
import { type Claims, readClaims } from './token-claims.ts';
import { looksLikeToken, TOKEN_BYTES_MAX } from './token-form.ts';
import type { TokenAlgorithm, TokenFacts, TokenIssuer } from './token-issuers.ts';

export interface TokenProofParts {
  readonly facts: TokenFacts;
  readonly directory: Pick<IdentityDirectory, 'find'>;
  readonly nowMs: () => number;
}

export interface TokenProof {
  readonly proof: Proof;
  readonly method: readonly [string, AuthenticationMethod];
}

export function createTokenProof(parts: TokenProofParts): TokenProof {
  return {
    proof: (evidence) => {
      const { facts, password, method } = evidence;
      const { authentication } = facts.listener;
      // With a method the token comes in its data.
      if (method !== undefined) return undefined;
      if (authentication === 'token') return password === undefined ? NO_TOKEN : prove(parts, evidence, password);
      if (authentication !== 'any' || password === undefined || !looksLikeToken(password)) return undefined;
      return prove(parts, evidence, password);
    },
    method: [
      TOKEN_METHOD,
      (evidence) => (evidence.data === undefined ? NO_TOKEN : prove(parts, evidence, evidence.data)),
    ],
  };
}

async function prove(parts: TokenProofParts, evidence: Evidence, bytes: Uint8Array): Promise<Authentication> {
  const { facts, nowMs, directory } = parts;
  if (bytes.length > TOKEN_BYTES_MAX) return bad(`the token is larger than ${TOKEN_BYTES_MAX} bytes`);
  const token = Buffer.from(bytes).toString('latin1');
  const heading = TOKEN.test(token) ? readHeading(token) : undefined;
  if (heading === undefined) return bad('what came is not a signed token: three parts, HEADER.CLAIMS.SIGNATURE');
  const issuer = facts.issuers.get(heading.issuer);
  if (issuer === undefined) return bad(`the issuer ${shown(heading.issuer)} of the token is not in identity.tokens`);
  const algorithm = issuer.algorithms.find((one) => one === heading.algorithm);
  if (algorithm === undefined) {
    return bad(
      `the token is signed with ${shown(heading.algorithm)}; its issuer may use ${issuer.algorithms.join(', ')}`,
    );
  }
  const verified = await verify(token, issuer, algorithm, heading.keyId, nowMs());
  if ('allow' in verified) return verified;
  const identity = readClaims(verified.claims, issuer, nowMs());
  if ('allow' in identity) return identity;
  const { name, roles, id, endsAtMs } = identity;
  const realm = TOKEN_REALM + issuer.issuer;
  if (evidence.userName !== undefined && evidence.userName !== '' && evidence.userName !== name) {
    return bad(`the user name is ${shown(evidence.userName)}, the token is ${name}'s`);
  }
  const refusal = checkRevoked(facts.revocations, issuer.issuer, { name, id, nowMs: nowMs() });
  if (refusal !== undefined) return refusal;
  if (directory.find(realm, name)?.state === 'disabled') return bad(`${name} is disabled in the registry`);
  const proven: Proven = {
    allow: true,
    identity: { realm, name, kind: issuer.kind, roles: withListenerRole(roles, evidence.facts.listener.role) },
    data: undefined,
    expiresAtMs: endsAtMs,
    ...(id === undefined ? {} : { token: id }),
  };
  return proven;
}

interface Heading {
  readonly issuer: string;
  readonly algorithm: string;
  readonly keyId: string | undefined;
}

/** What the token says of itself, before anything of it is believed: it only chooses issuer and key. */
function readHeading(token: string): Heading | undefined {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    const { iss } = decodeJwt(token);
    if (typeof alg !== 'string' || !isKeyId(kid)) return undefined;
    return { issuer: typeof iss === 'string' ? iss : '', algorithm: alg, keyId: kid };
  } catch {
    return undefined;
  }
}

function isKeyId(kid: unknown): kid is string | undefined {
  return kid === undefined || (typeof kid === 'string' && kid.length <= KEY_ID_MAX);
}

async function verify(
  token: string,
  issuer: TokenIssuer,
  algorithm: TokenAlgorithm,
  keyId: string | undefined,
  nowMs: number,
): Promise<{ readonly claims: Claims } | Refusal> {
  const keys = await issuer.keys.find(keyId, algorithm);
  if (keys.length === 0) {
    const which =
      keyId === undefined ? 'names no key, and its issuer has several or none' : `names the key ${shown(keyId)}`;
    return refuse(
      'not-authorized',
      `the token ${which} for ${algorithm}; that issuer's key set has no such key`,
      KEY_RULE,
    );
  }
  const options = {
    algorithms: [algorithm],
    issuer: issuer.issuer,
    audience: issuer.audience,
    clockTolerance: issuer.clockSkewMs / 1000,
    currentDate: new Date(nowMs),
    requiredClaims: ['exp'],
  };
  let fault: unknown;
  for (const { key } of keys.slice(0, TRIES_MAX)) {
    try {
      // Apart from what is ours: a claim may have any name.
      return { claims: (await jwtVerify(token, key, options)).payload };
    } catch (thrown) {
      fault = thrown;
      if (!(thrown instanceof errors.JWSSignatureVerificationFailed)) break;
    }
  }
  return bad(reasonOf(fault, issuer));
}

/** Why jose refused, for the operator. */
function reasonOf(fault: unknown, issuer: TokenIssuer): string {
  if (fault instanceof errors.JWTExpired) return 'the token has expired';
  if (fault instanceof errors.JWTClaimValidationFailed) {
    switch (fault.claim) {
      case 'aud':
        return `the token is for another audience than ${issuer.audience}`;
      case 'nbf':
        return 'the token is not yet valid (nbf)';
      case 'exp':
        return 'the token has no end (exp)';
      default:
        return `the claim ${fault.claim} of the token is not what it must be`;
    }
  }
  if (fault instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong';
  return 'the token is not a signed token as RFC 7519 has it';
}

function bad(because: string): Refusal {
  return refuse('not-authorized', because, RULE);
}

const RULE = 'identity.tokens';
const KEY_RULE = 'identity.tokens.jwks';
const NO_TOKEN = bad('no token came: it is the password of CONNECT, or the data of the authentication method JWT');
const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const KEY_ID_MAX = 256;
/** Keys of one id that are tried. */
const TRIES_MAX = 4;
