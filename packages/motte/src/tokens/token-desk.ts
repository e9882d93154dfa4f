// What administrators do about tokens: the same whether a broker runs or a command has the data directory alone.

import { MotteError } from '@motte/admin/errors';
import type { BrokerEvent } from '@motte/broker/events';
import type { EndedProofs, ProofQuery } from '@motte/broker/ports/admin-view';
import { TOKEN_REALM } from '@motte/broker/ports/identity';
import {
  choiceKey,
  isOver,
  REVOKED_RULE,
  type TokenChoice,
  type TokenDesk,
  type TokenIssuerRow,
  type TokenRevocation,
  whyRevoked,
} from '@motte/broker/ports/token-desk';
import type { TokenSettings } from '../config/settings.ts';
import type { TokenBook } from './token-book.ts';
import { parseTokenEntry } from './token-entry.ts';

export interface TokenDeskParts {
  readonly book: TokenBook;
  /** The issuers of motte.yaml, as they are now. */
  readonly configured: () => readonly TokenSettings[];
  /** Reads the keys of a new issuer; the answer puts it in force. Throws MOT-0411 for a file that cannot be used. */
  readonly prepare: (settings: TokenSettings) => Promise<() => void>;
  readonly drop: (issuer: string) => void;
  readonly faultOf: (issuer: string) => string | undefined;
  /** Ends what a running broker has. */
  readonly end: (query: ProofQuery) => EndedProofs;
  readonly told: (event: BrokerEvent) => void;
  readonly nowMs: () => number;
}

export function createTokenDesk(parts: TokenDeskParts): TokenDesk {
  const { book, configured, end, told, nowMs } = parts;
  const rowOf = (settings: TokenSettings, from: TokenIssuerRow['from']): TokenIssuerRow => {
    const { issuer, audience, jwks, names = [], kind } = settings;
    const fault = parts.faultOf(issuer);
    return { issuer, audience, jwks, names, kind, from, ...(fault === undefined ? {} : { fault }) };
  };
  const kindOf = (issuer: string): TokenSettings['kind'] =>
    (configured().find((one) => one.issuer === issuer) ?? book.issuers.get(issuer)?.settings)?.kind ?? 'device';
  const isConfigured = (issuer: string): boolean => configured().some((one) => one.issuer === issuer);
  const assertKnown = (issuer: string): void => {
    if (!isConfigured(issuer) && !book.issuers.has(issuer)) throw new MotteError('MOT-0652', shown(issuer));
  };

  return {
    issuers: () => [
      ...configured().map((settings) => rowOf(settings, 'motte.yaml')),
      ...[...book.issuers.values()]
        .filter(({ settings }) => !isConfigured(settings.issuer))
        .map(({ settings }) => rowOf(settings, 'data')),
    ],
    revocations: () => [...book.revocations.values()].filter((one) => !isOver(one, nowMs())),

    async add(entry) {
      const settings = parseTokenEntry(entry);
      const { issuer, audience, jwks, jwksCa } = settings;
      for (const path of [jwks, ...(jwksCa === undefined ? [] : [jwksCa])]) {
        if (!path.startsWith('https://') && !path.startsWith('/'))
          throw new MotteError('MOT-0650', `${path}: the path of a file must be absolute here`);
      }
      if (isConfigured(issuer) || book.issuers.has(issuer)) throw new MotteError('MOT-0651', issuer);
      const take = await parts.prepare(settings);
      await book.addIssuer({ entry, settings });
      take();
      told({ name: 'issuer.added', atMs: nowMs(), issuer, audience });
      return rowOf(settings, 'data');
    },

    async remove(issuer) {
      if (isConfigured(issuer)) throw new MotteError('MOT-0653', issuer);
      assertKnown(issuer);
      await book.removeIssuer(issuer);
      parts.drop(issuer);
      const { connections, sessions } = end(removedIssuer(issuer));
      told({ name: 'issuer.removed', atMs: nowMs(), issuer, connections, sessions });
      return { connections, sessions };
    },

    async revoke(choice, untilMs) {
      const { issuer } = choice;
      assertKnown(issuer);
      const revokedAtMs = nowMs();
      let revocation: TokenRevocation = { ...choice, revokedAtMs, untilMs };
      await book.revoke(revocation);
      const { connections, sessions, endsAtMs } = end({
        realm: TOKEN_REALM + issuer,
        ...('id' in choice ? { token: choice.id } : { name: choice.name, kind: kindOf(issuer) }),
        because: whyRevoked(choice),
        rule: REVOKED_RULE,
      });
      if ('id' in choice && untilMs === 0 && endsAtMs !== 0) {
        revocation = { ...revocation, untilMs: endsAtMs };
        await book.revoke(revocation);
      }
      told({ name: 'token.revoked', atMs: revokedAtMs, ...factsOf(choice), connections, sessions });
      return { revocation, connections, sessions };
    },

    async lift(choice) {
      if (!book.revocations.has(choiceKey(choice))) throw new MotteError('MOT-0656', choiceText(choice));
      await book.lift(choice);
      told({ name: 'token.lifted', atMs: nowMs(), ...factsOf(choice) });
    },
  };
}

/** What a running broker ends when an issuer is gone, by a command or from motte.yaml. */
export function removedIssuer(issuer: string): ProofQuery {
  return { realm: TOKEN_REALM + issuer, because: `the issuer ${issuer} was removed`, rule: 'identity.tokens' };
}

/** For people: which token, or whose. */
export function choiceText(choice: TokenChoice): string {
  return 'id' in choice
    ? `the token ${shown(choice.id)} of ${choice.issuer}`
    : `tokens of ${shown(choice.name)} of ${choice.issuer}`;
}

function factsOf(choice: TokenChoice): { issuer: string; token?: string; identity?: string } {
  const { issuer } = choice;
  return 'id' in choice ? { issuer, token: choice.id } : { issuer, identity: `${choice.name}@${TOKEN_REALM}${issuer}` };
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, TEXT_SHOWN));
}

const TEXT_SHOWN = 80;
