// Issuers and revoked tokens of a data directory whether or not its broker runs: through the admin API, or in this process
// under the lock.

import { type NewTokenIssuer, openAdmin, type Tokens } from '@motte/admin';
import type { EndedIdentity } from '@motte/broker/ports/admin-view';
import { issuerDocument, revocationDocument, type TokenChoice } from '@motte/broker/ports/token-desk';
import { loadConfig } from '../config/config.ts';
import type { Context } from '../context.ts';
import { tokensPath } from '../data/layout.ts';
import { runningOrOffline } from '../data/running-or-offline.ts';

export interface OpenTokens {
  list(): Promise<Pick<Tokens, 'issuers' | 'revocations'>>;
  add(entry: NewTokenIssuer): Promise<Tokens['issuers'][number]>;
  remove(issuer: string): Promise<EndedIdentity>;
  /** Without a time as long as the token lives, where that is known. */
  revoke(choice: TokenChoice, untilMs: number): Promise<EndedIdentity & { revocation: Tokens['revocations'][number] }>;
  lift(choice: TokenChoice): Promise<void>;
}

/** Runs `work` on the issuers and revocations of a data directory; `where` says whether a broker could end anything. */
export function withTokens<T>(
  context: Context,
  work: (tokens: OpenTokens, where: 'running' | 'offline') => Promise<T>,
): Promise<T> {
  return runningOrOffline(context.data, {
    running: () => work(running(context.data), 'running'),
    offline: async () => work(await offline(context), 'offline'),
  });
}

function running(data: string): OpenTokens {
  const admin = openAdmin(data);
  return {
    list: () => admin.tokens(),
    add: async (entry) => (await admin.addTokenIssuer(entry)).issuer,
    remove: async (issuer) => {
      const { connections, sessions } = await admin.removeTokenIssuer(issuer);
      return { connections, sessions };
    },
    revoke: async (choice, untilMs) => {
      const asked = { ...choice, ...(untilMs === 0 ? {} : { untilMs }) };
      const { revocation, connections, sessions } = await admin.revokeTokens(asked);
      return { revocation, connections, sessions };
    },
    lift: async (choice) => void (await admin.liftRevocation(choice)),
  };
}

async function offline(context: Context): Promise<OpenTokens> {
  const { issuerMaker } = await import('../start/tokens.ts');
  const { TokenBook } = await import('./token-book.ts');
  const { createTokenDesk } = await import('./token-desk.ts');
  const desk = createTokenDesk({
    book: new TokenBook(tokensPath(context.data), Date.now),
    configured: () => loadConfig(context.config).tokens,
    prepare: async (settings) => {
      await (await issuerMaker({ say: () => {} }))(settings, undefined, true);
      return () => {};
    },
    drop: () => {},
    faultOf: () => undefined,
    // Sessions of who can come no more are discarded at the next start.
    end: () => ({ connections: 0, sessions: 0, endsAtMs: 0 }),
    told: () => {},
    nowMs: Date.now,
  });
  return {
    list: async () => ({
      issuers: desk.issuers().map(issuerDocument),
      revocations: desk.revocations().map(revocationDocument),
    }),
    add: async (entry) => issuerDocument(await desk.add(entry)),
    remove: desk.remove,
    revoke: async (choice, untilMs) => {
      const { revocation, ...ended } = await desk.revoke(choice, untilMs);
      return { revocation: revocationDocument(revocation), ...ended };
    },
    lift: desk.lift,
  };
}
