// Whose tokens (JWT, RFC 7519) prove an identity here, and what each issuer may say. Filled from the configuration by whoever
// starts the broker; read at every proof, so that what is replaced counts at once.

import type { TokenRevocation } from '../ports/token-desk.ts';
import type { KeySet } from './key-set.ts';
import type { ProvableNames } from './provable-names.ts';

/** Signatures that only the issuer's private key makes; a shared secret proves nothing about who made the token. */
export const TOKEN_ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

export interface TokenIssuer {
  /** Exactly as in the claim `iss`; the realm is `token:ISSUER`. */
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly keys: KeySet;
  /** Where the name stands: a claim, or a way through nested ones with dots between. */
  readonly nameClaim: string;
  readonly rolesClaim: string | undefined;
  /** Value of that claim to role; `*` is for every token. */
  readonly roles: ReadonlyMap<string, string>;
  readonly names: ProvableNames;
  readonly kind: 'device' | 'user';
  readonly clockSkewMs: number;
}

export interface TokenFacts {
  readonly issuers: ReadonlyMap<string, TokenIssuer>;
  /** Tokens that are not taken any more, by `choiceKey`. */
  readonly revocations: ReadonlyMap<string, TokenRevocation>;
}
