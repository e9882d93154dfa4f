// What administrators do about tokens: whose are taken, and which are not any more. Keys and tokens are never shown.

import type { EndedIdentity } from './admin-view.ts';
import { type Refusal, refuse } from './verdict.ts';

export interface TokenIssuerRow {
  readonly issuer: string;
  readonly audience: string;
  /** File or address of the keys. */
  readonly jwks: string;
  /** Empty = every name. */
  readonly names: readonly string[];
  readonly kind: 'device' | 'user';
  /** `motte.yaml`, or the data directory, where commands put it. */
  readonly from: 'motte.yaml' | 'data';
  /** Why its keys cannot be read; absent while they can, or while no broker reads them. */
  readonly fault?: string;
}

/** Exactly one of the two: the claim `jti`, or the name that tokens prove. */
export type TokenChoice = { readonly issuer: string } & ({ readonly id: string } | { readonly name: string });

/** What a revocation is found by. */
export function choiceKey(choice: TokenChoice): string {
  return 'id' in choice ? `${choice.issuer}\nid\n${choice.id}` : `${choice.issuer}\nname\n${choice.name}`;
}

export type TokenRevocation = TokenChoice & {
  readonly revokedAtMs: number;
  /** Wall-clock time in ms; 0 = until it is lifted. */
  readonly untilMs: number;
};

export function isOver({ untilMs }: Pick<TokenRevocation, 'untilMs'>, nowMs: number): boolean {
  return untilMs !== 0 && untilMs <= nowMs;
}

export interface TokenRevoked extends EndedIdentity {
  readonly revocation: TokenRevocation;
}

/** Everything here is durable when its promise resolves; each throws a MotteError. */
export interface TokenDesk {
  issuers(): readonly TokenIssuerRow[];
  /** Those that are over are left out. */
  revocations(): readonly TokenRevocation[];
  /** An entry as in `identity.tokens`, checked by the same rules; its paths are absolute. */
  add(entry: Readonly<Record<string, unknown>>): Promise<TokenIssuerRow>;
  /** Ends everything that its tokens proved, sessions of those who are away included. */
  remove(issuer: string): Promise<EndedIdentity>;
  /**
   * `untilMs` 0 = until the end of the token where somebody is connected by it, else until it is lifted. A single token
   * ends its connections; a name everything that it has.
   */
  revoke(choice: TokenChoice, untilMs: number): Promise<TokenRevoked>;
  lift(choice: TokenChoice): Promise<void>;
}

/** For `motte why`, at a CONNECT and where a live connection ends. */
export function whyRevoked(choice: TokenChoice): string {
  return 'id' in choice
    ? `the token ${JSON.stringify(choice.id)} was revoked`
    : `tokens of ${choice.name} were revoked`;
}

export const REVOKED_RULE = 'identity.tokens.revoked';

/** Whether a token of this name and identifier is taken no more. */
export function checkRevoked(
  revocations: ReadonlyMap<string, TokenRevocation>,
  issuer: string,
  { name, id, nowMs }: { readonly name: string; readonly id: string | undefined; readonly nowMs: number },
): Refusal | undefined {
  const choices = [{ issuer, name }, ...(id === undefined ? [] : [{ issuer, id }])];
  for (const choice of choices) {
    const revocation = revocations.get(choiceKey(choice));
    if (revocation === undefined || isOver(revocation, nowMs)) continue;
    return refuse('not-authorized', whyRevoked(choice), REVOKED_RULE);
  }
  return undefined;
}

/** As the admin API and commands show it. */
export function issuerDocument({ names, ...row }: TokenIssuerRow) {
  return { ...row, names: [...names] };
}

export function revocationDocument({ revokedAtMs, untilMs, ...choice }: TokenRevocation) {
  const until = untilMs === 0 ? {} : { until: new Date(untilMs).toISOString() };
  return { ...choice, revoked: new Date(revokedAtMs).toISOString(), ...until };
}
