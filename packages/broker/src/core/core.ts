// The broker without I/O, clock or randomness of its own: everything it needs is passed in. Holds what is shared by all
// clients and drives time; one file per packet under handle/ does the rest.

import { AckView, PublishView, type Reason, TopicCache, type TopicName, textLength, writeText } from '@motte/wire';
import type { Emit } from '../events.ts';
import type { Access, Rights } from '../ports/access.ts';
import type { Backplane } from '../ports/backplane.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { ConnectionFacts } from '../ports/connection-facts.ts';
import type { Counters } from '../ports/counters.ts';
import type { Guards } from '../ports/guards.ts';
import type { Limits } from '../ports/limits.ts';
import type { Link } from '../ports/link.ts';
import type { Message } from '../ports/message.ts';
import type { Pressure } from '../ports/pressure.ts';
import type { Store, Ticket } from '../ports/store.ts';
import { Client } from './client.ts';
import { checkDeadlines } from './connection-deadlines.ts';
import { Deadlines } from './deadlines.ts';
import { type Routed, routeMessage } from './delivery.ts';
import { drain } from './drain.ts';
import { GroupChoice } from './group-choice.ts';
import { Openings } from './openings.ts';
import { Owed } from './owed.ts';
import { Passage } from './passage.ts';
import { Reauthorisation } from './reauthorise.ts';
import { Reports } from './reports.ts';
import { RetainedLimits } from './retained-limits.ts';
import { RetainedNews } from './retained-news.ts';
import { Router } from './router.ts';
import type { Session } from './session.ts';

export interface CoreParts {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly backplane: Backplane;
  readonly access: Access;
  readonly guards: Guards;
  readonly emit: Emit;
  readonly counters: Counters;
  readonly pressure: Pressure;
  /** The key of a session: a digest of identity and client identifier, the same on every node. */
  readonly sessionKey: (identityKey: string, clientId: string) => string;
}

/** Coarse time: session expiry and will delay are exact to this. */
const DEADLINE_STEP_MS = 250;

/** Topics whose bytes are recognised without decoding them again. */
const TOPIC_CACHE_ENTRIES = 32_768;

export class Core {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly backplane: Backplane;
  readonly access: Access;
  readonly guards: Guards;
  readonly emit: Emit;
  readonly counters: Counters;
  readonly pressure: Pressure;
  /** What all sessions are owed. */
  readonly owed: Owed;
  readonly reports: Reports;
  readonly sessionKey: CoreParts['sessionKey'];
  readonly router: Router<Session>;
  readonly topics: TopicCache;
  readonly sessions = new Map<string, Session>();
  readonly clients = new Set<Client>();
  /** Clients with acknowledgements that wait for a commit, and those that are not read until one. */
  readonly waiting = new Set<Client>();
  /** Online sessions that read their stored queue. */
  readonly behind = new Set<Session>();
  /** Session expiry and delayed wills, by the monotonic clock: a clock that is set moves none of them. */
  readonly deadlines: Deadlines;
  readonly openings = new Openings();
  /** What was retained lately, for those to whom older ones are handed over. */
  readonly retainedNews = new RetainedNews();
  /** Who reads all retained messages page by page, and has to know of newer ones. */
  readonly retainedWatches = new Set<{ retained(message: Message): void }>();
  /** Reused for every PUBLISH. */
  readonly view = new PublishView();
  /** Reused for every acknowledgement. */
  readonly ack = new AckView();
  readonly routed: Routed = { matched: 0, ticket: 0 };
  /** Both clocks as of the last tick or input: fine enough for deadlines, and cheap. */
  nowMs: number;
  /** Without the time that ticks came late by. */
  monotonicMs: number;
  /** Of all runs of the broker this one, by chance. */
  readonly run: number;
  private lateMs = 0;
  /** The policy under which all subscriptions are, or were last, looked at. */
  private authorisedGeneration: number;
  /** Undefined = all were. */
  private reauthorisation: Reauthorisation | undefined = undefined;
  /** Why the broker takes no new clients; undefined = it does. */
  stopping: Reason | undefined = undefined;
  readonly groupChoice = new GroupChoice(this);
  readonly retainedLimits: RetainedLimits;

  constructor(parts: CoreParts) {
    this.limits = parts.limits;
    this.clock = parts.clock;
    this.random = parts.random;
    this.store = parts.store;
    this.backplane = parts.backplane;
    this.access = parts.access;
    this.guards = parts.guards;
    this.emit = parts.emit;
    this.counters = parts.counters;
    this.pressure = parts.pressure;
    this.owed = new Owed(parts.limits);
    this.reports = new Reports(parts.emit, parts.counters);
    this.sessionKey = parts.sessionKey;
    this.authorisedGeneration = parts.access.generation;
    this.nowMs = parts.clock.nowMs();
    this.monotonicMs = parts.clock.monotonicMs();
    this.topics = new TopicCache(TOPIC_CACHE_ENTRIES, parts.random.uint32());
    this.run = parts.random.uint32();
    this.deadlines = new Deadlines(this.monotonicMs, DEADLINE_STEP_MS);
    this.router = new Router<Session>({
      routesMax: parts.limits.routesMax,
      levelsMax: parts.limits.topicLevelsMax,
      subscriptionsMax: parts.limits.subscriptionsMax,
      receive: (session, topic) => parts.access.receive(this.rightsOf(session), topic),
      policyGeneration: () => parts.access.generation,
    });
    this.retainedLimits = new RetainedLimits(parts.store, parts.limits);
    this.store.onCommitted((upTo, fault) => this.committed(upTo, fault));
    this.store.onTrouble((trouble) => this.reports.storeTrouble(trouble));
  }

  /** Takes a new connection; its frames go to `receive` in dispatch. */
  attach(link: Link, facts: ConnectionFacts): Client {
    const client = new Client(this, link, facts);
    this.clients.add(client);
    this.counters.connectionsOpened += 1;
    return client;
  }

  /** Brings the counters of what is held up to date. */
  count(): void {
    const { counters, owed } = this;
    counters.sessions = this.sessions.size;
    counters.subscriptions = this.router.size;
    counters.queuedMessages = owed.messages;
    counters.queuedBytes = owed.bytes;
  }

  /**
   * Lets time pass; called a few times a second. `lateMs` is how much later than that it is: what peers sent meanwhile was not
   * read or has the time of the tick before, so that time is not held against them.
   */
  tick(lateMs = 0): void {
    this.lateMs += lateMs;
    this.nowMs = this.clock.nowMs();
    this.monotonicMs = this.clock.monotonicMs() - this.lateMs;
    this.deadlines.advance(this.monotonicMs);
    this.retainedLimits.sweep(this.nowMs);
    this.reports.flush();
    this.owed.forget(this.monotonicMs);
    this.count();
    if (this.access.generation !== this.authorisedGeneration) this.reauthorise();
    if (this.reauthorisation?.step() === false) this.reauthorisation = undefined;
    for (const client of this.clients) {
      client.refusals?.flush();
      client.link.run(() => checkDeadlines(client));
    }
  }

  /**
   * Begins to end what the policy of now does not grant any more. Goes on at every tick, and as fast as the caller steps; until a
   * subscription is met, the policy's generation keeps from it what it may not have.
   */
  reauthorise(): Reauthorisation {
    this.authorisedGeneration = this.access.generation;
    this.reauthorisation = new Reauthorisation(this);
    return this.reauthorisation;
  }

  /** Calls `expire` once after a delay; in place of what the name waited for before. */
  after(name: string, delayMs: number, expire: () => void): void {
    this.deadlines.set(name, this.monotonicMs + delayMs, expire);
  }

  /** Routes a message of the broker's own, a will, or one of another node. */
  route(message: Message): Routed {
    return routeMessage(this, Passage.ofMessage(message, this), this.router.route(message.topic));
  }

  /** Publishes a message of the broker's own. */
  publish(topic: TopicName, payload: Uint8Array): void {
    const topicBytes = this.utf8(topic);
    const own = { qos: 0, retain: false, properties: NOTHING, publisher: '', owner: '' } as const;
    this.route({ topic, topicBytes, payload, ...own, expiresAtMs: 0, given: undefined });
  }

  /** The bytes of a topic that did not come from a packet. */
  utf8(topic: TopicName): Uint8Array {
    const bytes = new Uint8Array(textLength(topic));
    writeText(bytes, 0, topic);
    return bytes;
  }

  drain(session: Session): void {
    drain(this, session);
  }

  /** The session's rights under the policy of now. */
  rightsOf(session: Session): Rights {
    const { access } = this;
    if (session.rights.generation !== access.generation) session.rights = access.rightsOf(session.subject);
    return session.rights;
  }

  private committed(upTo: Ticket, fault: Error | undefined): void {
    const failed = fault === undefined ? undefined : this.reports.storeFault(fault);
    for (const client of this.waiting) {
      client.link.run(() => {
        // What was not written is not acknowledged: the client sends it again.
        if (failed !== undefined && client.acks.waitsFor(upTo)) throw failed;
        if (failed === undefined) client.committed(upTo);
      });
    }
    if (failed !== undefined) return;
    for (const session of this.behind) {
      if (session.client !== undefined) this.drain(session);
    }
  }
}

const NOTHING = new Uint8Array(0);
