// What the core tells the log and the counters about refusals, losses and faults: the one place where their events are made.

import type { Reason, TopicName } from '@motte/wire';
import type { Emit, EventFields, Who } from '../events.ts';
import type { Counters } from '../ports/counters.ts';
import { Fault } from '../ports/fault.ts';
import { identityKey } from '../ports/identity.ts';
import type { Weakness } from '../ports/posture.ts';
import type { StoreTrouble } from '../ports/store.ts';
import type { Layer } from '../ports/verdict.ts';
import type { Client } from './client.ts';
import { Flood } from './flood.ts';
import type { Session } from './session.ts';

/** What a report of a refusal needs beyond who it was. */
export interface RefusalFacts {
  readonly layer: Layer;
  readonly reason: Reason;
  readonly because: string;
  readonly rule: string;
  readonly packet?: string;
  readonly topic?: string;
  readonly seen: string;
}

interface DropFacts {
  readonly topic: TopicName;
  readonly qos: number;
  readonly why: string;
}

export class Reports {
  private readonly emit: Emit;
  private readonly counters: Counters;
  /** Since the last tick; bounded by the sessions. */
  private readonly drops = new Map<Session, Flood<DropFacts>>();

  constructor(emit: Emit, counters: Counters) {
    this.emit = emit;
    this.counters = counters;
  }

  /** Who an event about this client is about. */
  who(client: Client): Who {
    const { facts, identity } = client;
    return {
      connection: facts.id,
      listener: facts.listener.name,
      address: facts.address,
      ...(identity === undefined ? {} : { identity: identityKey(identity) }),
      ...(client.clientId === '' ? {} : { clientId: client.clientId }),
    };
  }

  /** A client that is let in, or stays, although it is weaker than the policy wants. */
  flagged(client: Client, { because, rule }: Pick<Weakness, 'because' | 'rule'>): void {
    if (this.emit.wanted('warn')) this.emit('client.flagged', { ...this.who(client), because, rule });
  }

  /** A client that publishes more than its quota; its caller sees to it that this is not said with every message. */
  slowed(client: Client, facts: Omit<EventFields<'client.slowed'>, keyof Who>): void {
    if (this.emit.wanted('warn')) this.emit('client.slowed', { ...this.who(client), ...facts });
  }

  /** Counts and reports a refusal that ends the connection; never held back. */
  refused(client: Client, refusal: RefusalFacts): void {
    this.counters.refusals += 1;
    if (this.emit.wanted('warn')) this.emit('peer.refused', { ...this.who(client), ...refusal });
  }

  /** Counts and reports a refusal after which the connection goes on. */
  refusedOften(client: Client, refusal: RefusalFacts): void {
    this.counters.refusals += 1;
    client.refusals ??= new Flood((facts, count) => {
      if (!this.emit.wanted('warn')) return;
      const because = count === 1 ? facts.because : `${facts.because}; the last of ${count} refused at once`;
      this.emit('peer.refused', { ...this.who(client), ...facts, because });
    });
    client.refusals.add(refusal);
  }

  /** Counts and reports a message that was given up for one session. */
  dropped(session: Session | undefined, topic: TopicName, qos: number, why: string): void {
    this.counters.messagesDropped += 1;
    // QoS 0 may be lost and is counted alone.
    if (qos === 0 || session === undefined) return;
    let drops = this.drops.get(session);
    if (drops === undefined) {
      drops = new Flood((facts, count) => this.reportDrop(session, facts, count));
      this.drops.set(session, drops);
    }
    drops.add({ topic, qos, why });
  }

  /** At every tick: reports what was held back. */
  flush(): void {
    for (const drops of this.drops.values()) drops.flush();
    this.drops.clear();
  }

  /** Marks a client for whom an invariant broke while something was delivered to it. */
  broken(client: Client | undefined, fault: unknown): void {
    this.counters.assertions += 1;
    const why = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
    this.emit('broker.assertion', { ...(client === undefined ? {} : this.who(client)), why });
    if (client === undefined || client.fault !== undefined) return;
    client.fault = fault;
    client.link.resume();
  }

  /** Reports that the store could not do its work; to be thrown at whoever waited for it. */
  storeFault(cause: Error): Fault {
    this.emit('store.fault', { why: cause.message });
    return new Fault(cause.message, { cause });
  }

  /** What the store itself has to say. */
  storeTrouble(trouble: StoreTrouble): void {
    if (trouble.kind === 'recovered') this.emit('store.recovered', {});
    else this.emit(trouble.kind === 'failing' ? 'store.fault' : 'store.damaged', { why: trouble.why });
  }

  private reportDrop({ identity, clientId }: Session, { topic, qos, why }: DropFacts, count: number): void {
    if (!this.emit.wanted('warn')) return;
    const because = count === 1 ? why : `${why}; the last of ${count} given up at once`;
    this.emit('session.dropped-message', { identity: identityKey(identity), clientId, topic, why: because, qos });
  }
}
