// The issuers of tokens while the broker runs, of motte.yaml and of `motte token add`: their keys, read again in time, what is
// wrong with them, and what a reload makes of them. Judging a token is the broker's business.

import { MotteError } from '@motte/admin/errors';
import type { BrokerParts } from '@motte/broker';
import type { Log } from '@motte/broker/observe';
import type { Policy } from '@motte/broker/policy';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import type { CheckOutsider } from '@motte/broker/ports/guards';
import { TOKEN_REALM } from '@motte/broker/ports/identity';
import { checkRevoked } from '@motte/broker/ports/token-desk';
import { refuse } from '@motte/broker/ports/verdict';
import type { TokenIssuer } from '@motte/broker/tokens';
import type { MotteConfig } from '../config/config.ts';
import type { TokenSettings } from '../config/settings.ts';
import type { TokenBook } from '../tokens/token-book.ts';
import { removedIssuer, type TokenDeskParts } from '../tokens/token-desk.ts';

export interface Tokens extends Pick<TokenDeskParts, 'book' | 'prepare' | 'drop' | 'faultOf'> {
  /** What the broker proves identities by. */
  readonly parts: Pick<BrokerParts, 'proofs' | 'methods' | 'checkOutsider'>;
  readonly issuers: ReadonlyMap<string, TokenIssuer>;
  findings(): readonly HealthFinding[];
  /**
   * Reads what another configuration names; the answer puts it in force and gives the issuers whose proofs are worth
   * nothing any more. Throws MOT-0411 for a file that cannot be used, and changes nothing then.
   */
  prepareAll(next: MotteConfig): Promise<() => readonly string[]>;
  close(): void;
}

export interface TokensParts {
  readonly config: MotteConfig;
  readonly book: TokenBook;
  readonly directory: IdentityDirectory;
  readonly log: Log;
  /** In force now. */
  readonly policy: () => Policy;
}

/** Reads the keys of every issuer. A server that does not answer is a finding; a file that is no good throws MOT-0411. */
export async function openTokens({ config, book, directory, log, policy }: TokensParts): Promise<Tokens> {
  // Where no listener takes tokens, none of that is loaded; listeners do not change while the broker runs.
  const takers = config.listeners.filter(
    ({ authentication }) => authentication === 'token' || authentication === 'any',
  );
  const make = takers.length === 0 ? undefined : await issuerMaker(log);
  /** Of motte.yaml, and recorded ones; the former come before the latter of the same name. */
  let configured = new Map<string, Known>();
  const recorded = new Map<string, Known>();
  const issuers = new Map<string, TokenIssuer>();

  const settle = (): void => {
    issuers.clear();
    for (const [name, { issuer }] of [...recorded, ...configured]) if (issuer !== undefined) issuers.set(name, issuer);
  };
  const know = async (settings: TokenSettings, strict = true): Promise<Known> => {
    const before = configured.get(settings.issuer) ?? recorded.get(settings.issuer);
    return { settings, issuer: await make?.(settings, before, strict) };
  };
  const isKnown = (issuer: string): boolean => configured.has(issuer) || recorded.has(issuer);

  const prepareAll = async (next: MotteConfig): Promise<() => readonly string[]> => {
    const fresh = await Promise.all(next.tokens.map((one) => know(one)));
    await Promise.all(
      [...recorded.values()].flatMap(({ issuer }) => (issuer === undefined ? [] : issuer.keys.refresh())),
    );
    return () => {
      const before = [...configured.keys()];
      configured = new Map(fresh.map((one) => [one.settings.issuer, one]));
      settle();
      return before.filter((issuer) => !isKnown(issuer));
    };
  };
  // What a command recorded once keeps no broker from starting.
  for (const { settings } of book.issuers.values()) recorded.set(settings.issuer, await know(settings, false));
  (await prepareAll(config))();

  const refresh = setInterval(() => {
    for (const { keys } of issuers.values()) void keys.refresh();
  }, REFRESH_MS);
  refresh.unref();

  const { checkProvable } = make === undefined ? {} : await import('@motte/broker/tokens');
  const checkOutsider: CheckOutsider = ({ realm, name, token }) => {
    if (!realm.startsWith(TOKEN_REALM)) return undefined;
    const issuer = realm.slice(TOKEN_REALM.length);
    const known = configured.get(issuer) ?? recorded.get(issuer);
    const { because, rule } = removedIssuer(issuer);
    if (known === undefined) return refuse('not-authorized', because, rule);
    return (
      checkProvable?.(name, known.settings.names, `a token of ${issuer}`, rule) ??
      checkRevoked(book.revocations, issuer, { name, id: token, nowMs: Date.now() })
    );
  };
  const proofs = make === undefined ? {} : await proofsOf({ issuers, book, directory });
  return {
    book,
    issuers,
    parts: { ...proofs, checkOutsider },
    findings: () => [
      ...[...issuers.values()].flatMap((issuer) => findingsOf(issuer, policy())),
      ...withoutIssuer(takers, issuers),
      ...[...recorded.keys()].filter((issuer) => configured.has(issuer)).map(twice),
    ],
    faultOf: (issuer) => issuers.get(issuer)?.keys.fault,
    prepareAll,
    prepare: async (settings) => {
      const one = await know(settings);
      // No listener wants it yet, but keys that cannot be used are told now.
      if (make === undefined) await (await issuerMaker(log))(settings, undefined, true);
      return () => {
        recorded.set(settings.issuer, one);
        settle();
      };
    },
    drop: (issuer) => {
      recorded.delete(issuer);
      settle();
    },
    close: () => clearInterval(refresh),
  };
}

/** An issuer whose tokens no listener takes has no keys here. */
interface Known {
  readonly settings: TokenSettings;
  readonly issuer: TokenIssuer | undefined;
}

/** `strict`: a file that holds no keys is refused, and not only told. */
type MakeIssuer = (settings: TokenSettings, before: Known | undefined, strict: boolean) => Promise<TokenIssuer>;

/** Throws MOT-0411 for a file that holds no keys. */
export async function issuerMaker(log: Pick<Log, 'say'>): Promise<MakeIssuer> {
  const { KeySet } = await import('@motte/broker/tokens');
  const { keySource } = await import('./key-source.ts');
  return async (settings, before, strict) => {
    const { issuer, jwks, jwksCa, roles, clockSkewSeconds, rolesClaim, names, ...rest } = settings;
    // Keys are kept as long as they come from the same place.
    const isSame = before?.settings.jwks === jwks && before.settings.jwksCa === jwksCa;
    const keys =
      (isSame ? before.issuer?.keys : undefined) ??
      new KeySet({
        read: keySource(jwks, jwksCa),
        monotonicMs: () => performance.now(),
        onChange: (fault) => sayKeys(log, issuer, fault),
      });
    await keys.refresh();
    const isFile = !jwks.startsWith('https://');
    if (strict && keys.fault !== undefined && keys.keys.length === 0 && isFile) {
      throw new MotteError('MOT-0411', `${issuer}: ${keys.fault}`);
    }
    const rolesByValue = new Map(Object.entries(roles));
    return { ...rest, issuer, keys, rolesClaim, names, roles: rolesByValue, clockSkewMs: clockSkewSeconds * 1000 };
  };
}

async function proofsOf({
  issuers,
  book: { revocations },
  directory,
}: Pick<Tokens, 'issuers' | 'book'> & Pick<TokensParts, 'directory'>): Promise<
  Pick<BrokerParts, 'proofs' | 'methods'>
> {
  const { createTokenProof } = await import('@motte/broker/tokens');
  const { proof, method } = createTokenProof({ facts: { issuers, revocations }, directory, nowMs: Date.now });
  return { proofs: [proof], methods: new Map([method]) };
}

function findingsOf({ issuer, keys, roles }: TokenIssuer, policy: Policy): HealthFinding[] {
  const findings: HealthFinding[] = [];
  if (keys.fault !== undefined) {
    const rest = keys.keys.length === 0 ? 'none of its tokens is taken' : 'the keys read before stay in force';
    findings.push({ subject: 'tokens', why: `the keys of ${issuer} cannot be read: ${keys.fault}; ${rest}` });
  }
  for (const role of new Set(roles.values())) {
    if (policy.roles.has(role)) continue;
    findings.push({
      subject: 'tokens',
      why: `${issuer} gives the role ${role}, which the policy lacks: it grants nothing`,
    });
  }
  return findings;
}

function withoutIssuer(takers: MotteConfig['listeners'], issuers: ReadonlyMap<string, unknown>): HealthFinding[] {
  if (issuers.size > 0) return [];
  const names = takers.filter(({ authentication }) => authentication === 'token').map(({ name }) => name);
  if (names.length === 0) return [];
  const why = `${names.join(', ')} takes tokens, and there is no issuer: nobody gets in; \`motte token add\``;
  return [{ subject: 'tokens', why }];
}

function twice(issuer: string): HealthFinding {
  const why = `${issuer} stands in motte.yaml and was added by \`motte token add\`: motte.yaml counts`;
  return { subject: 'tokens', why };
}

function sayKeys(log: Pick<Log, 'say'>, issuer: string, fault: string | undefined): void {
  if (fault === undefined) log.say('info', 'the keys of a token issuer were read', { issuer });
  else log.say('error', 'the keys of a token issuer could not be read', { issuer, why: fault });
}

/** A key that its issuer took back is gone from here at the latest after this time. */
const REFRESH_MS = 600_000;
