// Whether there is room for a session that does not exist yet: numbers of sessions, a store that takes no more, memory that runs
// short. Asked before anything is touched, so that whoever is refused loses nothing that it has. Who has a session
// already is a known device and is turned away last, before TLS (net/arrivals.ts).

import type { Rights } from '../ports/access.ts';
import type { Identity } from '../ports/identity.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';
import type { Core } from './core.ts';
import { checkCount } from './quotas.ts';

export interface Newcomer {
  readonly key: string;
  readonly identity: Identity;
  readonly rights: Rights;
  readonly expirySeconds: number;
  /** It goes on with the session it has. */
  readonly resumes: boolean;
}

/** Why a CONNECT can have no session, or undefined. */
export function checkNewcomer(core: Core, newcomer: Newcomer): Refusal | undefined {
  return (
    checkNumbers(core, newcomer) ??
    checkQuota(core, newcomer) ??
    checkMemory(core, newcomer) ??
    checkStore(core, newcomer)
  );
}

function checkNumbers({ sessions, limits, owed }: Core, { key, identity }: Newcomer): Refusal | undefined {
  // One that it has is replaced.
  if (sessions.has(key)) return undefined;
  const { sessionsMax, sessionsPerIdentityMax } = limits;
  if (sessions.size >= sessionsMax) {
    return refuse('quota-exceeded', `${sessionsMax} sessions exist already`, 'limits.sessionsMax');
  }
  if (owed.sessionsOf(identity) >= sessionsPerIdentityMax) {
    const because = `${identity.name} has ${sessionsPerIdentityMax} sessions already`;
    return refuse('quota-exceeded', because, 'limits.sessionsPerIdentityMax');
  }
  return undefined;
}

/** One that takes its own session over replaces the connection that has it. */
function checkQuota({ sessions, owed }: Core, { key, identity, rights }: Newcomer): Refusal | undefined {
  const replaced = sessions.get(key)?.client === undefined ? 0 : 1;
  const verdict = checkCount(rights.quotas, 'connections', owed.connectionsOf(identity) - replaced);
  return verdict.allow ? undefined : verdict;
}

function checkMemory({ sessions, store, pressure }: Core, { key, expirySeconds }: Newcomer): Refusal | undefined {
  if (pressure.stage === 0) return undefined;
  const known = sessions.get(key);
  const isStored = known?.stored ?? store.hasSession(key);
  if (pressure.stage >= 2 && known === undefined && !isStored) {
    return refuse('quota-exceeded', 'memory is short: only clients with a session are taken', 'limits.memoryBytesMax');
  }
  if (expirySeconds > 0 && !isStored) {
    const because = 'memory is short: no new session may outlive its connection';
    return refuse('quota-exceeded', because, 'limits.memoryBytesMax');
  }
  return undefined;
}

function checkStore({ store }: Core, { expirySeconds, resumes }: Newcomer): Refusal | undefined {
  if (expirySeconds === 0 || resumes || store.failing === undefined) return undefined;
  return refuse('quota-exceeded', `no session can be stored now: ${store.failing}`, 'store');
}
