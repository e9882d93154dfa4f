// What a new policy means for subscriptions that were granted under an older one: those that it no longer grants end, in
// live and stored sessions alike. Deliveries need no help: every route and verdict carries the policy's generation.

import { shareOf, type TopicFilter } from '@motte/wire';
import type { LostRights } from '../ports/policies.ts';
import type { Refusal } from '../ports/verdict.ts';
import type { Core } from './core.ts';
import { endClient } from './end-client.ts';
import { slowByDebt } from './quotas.ts';
import type { Session } from './session.ts';

/** Looks at every subscription of every session, some at a time: between two slices everybody else is served. */
export class Reauthorisation {
  readonly #core: Core;
  /** Who comes meanwhile is met as well, which is harmless. */
  readonly #sessions: Iterator<Session>;
  #subscriptions = 0;
  #connections = 0;

  constructor(core: Core) {
    this.#core = core;
    this.#sessions = core.sessions.values();
  }

  /** What ended so far. */
  get lost(): LostRights {
    return { subscriptions: this.#subscriptions, connections: this.#connections };
  }

  /** False once all were looked at. */
  step(): boolean {
    for (let looks = 0; looks < LOOKS_PER_SLICE; ) {
      const next = this.#sessions.next();
      if (next.done === true) return false;
      looks += 1 + this.#core.router.countOf(next.value);
      if (this.#look(next.value)) looks += LOOKS_PER_END;
    }
    return true;
  }

  /** True if it ended the connection. */
  #look(session: Session): boolean {
    const { client } = session;
    const lost = reauthoriseSession(this.#core, session);
    this.#subscriptions += lost;
    if (client === undefined) return false;
    if (lost > 0) this.#connections += 1;
    else slowByDebt(client, session);
    return lost > 0;
  }
}

/** Looks at those of one session, as of one that was resumed under another policy than it was left under; how many ended. */
export function reauthoriseSession(core: Core, session: Session): number {
  let count = 0;
  let lost: { readonly filter: TopicFilter; readonly refusal: Refusal } | undefined;
  for (const filter of [...core.router.filtersOf(session)]) {
    const verdict = core.access.subscribe(core.rightsOf(session), shareOf(filter)?.filter ?? filter);
    if (verdict.allow) continue;
    count += 1;
    lost = { filter, refusal: verdict };
    core.router.unsubscribe(session, filter);
    if (session.stored) core.store.stage({ kind: 'unsubscribe', key: session.key, filter }, true);
  }
  const { client } = session;
  if (lost === undefined || client === undefined) return count;
  // No MQTT packet takes a subscription back: ending the connection is the only way to tell the client.
  const { filter, refusal } = lost;
  const { reason, because, rule } = refusal;
  const seen = client.version === 5 ? 'DISCONNECT 0x87' : 'the connection closed';
  core.reports.refused(client, { layer: 'access', reason, because, rule, packet: 'subscribe', topic: filter, seen });
  const reasonString = `no longer allowed: ${filter}`;
  client.link.run(() => endClient(client, { reason: 'not-authorized', byPeer: false, will: true, reasonString }));
  return count;
}

const LOOKS_PER_SLICE = 200;
/** What the end of a connection weighs: two dozen of them are a slice. */
const LOOKS_PER_END = 6;
