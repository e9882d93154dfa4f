// The issuers of `identity.tokens` while the broker runs: their keys, read again in time, what is wrong with them, and what a
// reload makes of them. Judging a token is the broker's business.

import { MotteError } from '@motte/admin/errors';
import type { BrokerParts } from '@motte/broker';
import type { Log } from '@motte/broker/observe';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import { builtInPolicy } from '@motte/broker/roles';
import type { TokenBar, TokenIssuer } from '@motte/broker/tokens';
import type { MotteConfig } from '../config/config.ts';
import type { TokenSettings } from '../config/settings.ts';

export interface Tokens {
  /** What the broker proves identities by. */
  readonly parts: Pick<BrokerParts, 'proofs' | 'methods'>;
  readonly issuers: ReadonlyMap<string, TokenIssuer>;
  findings(): readonly HealthFinding[];
  /**
   * Reads what another configuration names; the answer puts it in force and gives the realms whose proofs are worth
   * nothing any more. Throws MOT-0411 for a file that cannot be used, and changes nothing then.
   */
  prepare(next: MotteConfig): Promise<() => readonly string[]>;
  close(): void;
}

export interface TokensParts {
  readonly config: MotteConfig;
  readonly directory: IdentityDirectory;
  readonly log: Log;
}

/** Reads the keys of every issuer. A server that does not answer is a finding; a file that is no good throws MOT-0411. */
export async function openTokens({ config, directory, log }: TokensParts): Promise<Tokens> {
  // Where no listener takes tokens, none of this is loaded; listeners do not change while the broker runs.
  if (!config.listeners.some(({ authentication }) => authentication === 'token' || authentication === 'any'))
    return NONE;
  const { createTokenProof, KeySet } = await import('@motte/broker/tokens');
  const { keySource } = await import('./key-source.ts');
  const issuers = new Map<string, TokenIssuer>();
  const bars = new Map<string, TokenBar>();
  const sources = new Map<string, string>();

  const makeIssuer = async (settings: TokenSettings): Promise<TokenIssuer> => {
    const { issuer, jwks, jwksCa, roles, clockSkewSeconds, rolesClaim, names, ...rest } = settings;
    const known = sources.get(issuer) === sourceOf(settings) ? issuers.get(issuer)?.keys : undefined;
    const keys =
      known ??
      new KeySet({
        read: keySource(jwks, jwksCa),
        monotonicMs: () => performance.now(),
        onChange: (fault) => sayKeys(log, issuer, fault),
      });
    await keys.refresh();
    const isFile = !jwks.startsWith('https://');
    if (keys.fault !== undefined && keys.keys.length === 0 && isFile) {
      throw new MotteError('MOT-0411', `${issuer}: ${keys.fault}`);
    }
    const rolesByValue = new Map(Object.entries(roles));
    return { ...rest, issuer, keys, rolesClaim, names, roles: rolesByValue, clockSkewMs: clockSkewSeconds * 1000 };
  };

  const prepare = async (next: MotteConfig): Promise<() => readonly string[]> => {
    const fresh = await Promise.all(next.tokens.map(makeIssuer));
    return () => {
      const gone = [...issuers.keys()].filter((issuer) => !fresh.some((one) => one.issuer === issuer));
      issuers.clear();
      sources.clear();
      for (const one of fresh) issuers.set(one.issuer, one);
      for (const settings of next.tokens) sources.set(settings.issuer, sourceOf(settings));
      return gone.map((issuer) => `token:${issuer}`);
    };
  };
  (await prepare(config))();

  const refresh = setInterval(() => {
    for (const { keys } of issuers.values()) void keys.refresh();
  }, REFRESH_MS);
  refresh.unref();

  const { proof, method } = createTokenProof({ facts: { issuers, bars }, directory, nowMs: Date.now });
  return {
    parts: { proofs: [proof], methods: new Map([method]) },
    issuers,
    findings: () => [...issuers.values()].flatMap(findingsOf),
    prepare,
    close: () => clearInterval(refresh),
  };
}

function findingsOf({ issuer, keys, roles }: TokenIssuer): HealthFinding[] {
  const findings: HealthFinding[] = [];
  if (keys.fault !== undefined) {
    const rest = keys.keys.length === 0 ? 'none of its tokens is taken' : 'the keys read before stay in force';
    findings.push({ subject: 'tokens', why: `the keys of ${issuer} cannot be read: ${keys.fault}; ${rest}` });
  }
  const policy = builtInPolicy();
  for (const role of new Set(roles.values())) {
    if (policy.roles.has(role)) continue;
    findings.push({
      subject: 'tokens',
      why: `${issuer} gives the role ${role}, which the policy lacks: it grants nothing`,
    });
  }
  return findings;
}

function sayKeys(log: Log, issuer: string, fault: string | undefined): void {
  if (fault === undefined) log.say('info', 'the keys of a token issuer were read', { issuer });
  else log.say('error', 'the keys of a token issuer could not be read', { issuer, why: fault });
}

/** Keys are kept over a reload as long as they come from the same place. */
function sourceOf({ jwks, jwksCa }: TokenSettings): string {
  return `${jwks}\n${jwksCa ?? ''}`;
}

const NONE: Tokens = {
  parts: {},
  issuers: new Map(),
  findings: () => [],
  prepare: async () => () => [],
  close: () => {},
};

/** A key that its issuer took back is gone from here at the latest after this time. */
const REFRESH_MS = 600_000;
