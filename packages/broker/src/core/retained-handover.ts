// Retained messages on their way to a session after its SUBSCRIBEs (3.8.4): one filter after the other, one page at a time,
// no faster than the client takes them, so that neither a million of them nor a client that does not read holds anybody up. What
// is left when the connection ends goes on with the next one of the session, from behind what was handed over.

import type { TopicFilter, TopicName } from '@motte/wire';
import type { Message } from '../ports/message.ts';
import type { Cursor, StoredSubscription } from '../ports/store.ts';
import type { Client } from './client.ts';
import type { Core } from './core.ts';
import { owe, sendQoS0 } from './delivery.ts';
import { leftMs } from './expiry.ts';
import { Passage } from './passage.ts';
import { mayReceive } from './receive-right.ts';
import type { Session } from './session.ts';

/** Retained messages asked of the store at a time. */
const PAGE = 64;

/** Retained messages fill at most this part of a queue: the rest is for what is published meanwhile. */
const QUEUE_SHARE = 0.5;

/** Topics of which it is remembered that the client lost the last message. */
const LOST_MAX = 256;

/** Absences of the client that are remembered one by one. */
const ABSENCES_MAX = 16;

/** While the client was away: behind how many messages that had been retained, and up to how many. */
interface Absence {
  readonly from: number;
  to: number;
}

/** A filter that waits for its turn. */
interface Owed {
  subscription: StoredSubscription;
  /** Of each SUBSCRIBE, how many messages had been retained by then: each is owed what was there [MQTT-3.8.4-4], read but once. */
  readonly since: number[];
}

/** How far the messages of one filter have come. */
interface Scan extends Readonly<Owed> {
  page: readonly Message[];
  /** Place in the page. */
  at: number;
  /** How many copies were handed over of the message at this topic. */
  topic: TopicName | undefined;
  copies: number;
  /** Where the page begins, and where the next one does. */
  from: Cursor;
  cursor: Cursor;
  /** False once the last page was read. */
  more: boolean;
}

/** The session has none while nothing is left to hand over. While its client is away, it keeps filters and places, no messages. */
export class RetainedHandover {
  private readonly core: Core;
  private readonly session: Session;
  /** Filters in the order of their SUBSCRIBEs; bounded by the subscriptions of the session. */
  private readonly waiting = new Map<TopicFilter, Owed>();
  private scan: Scan | undefined = undefined;
  private reading = false;
  /** How many messages had been retained when the page was asked for: it has what came before. */
  private asked = 0;
  /** What was retained, and did not reach the client though it came after its SUBSCRIBE; with the one before it that did. */
  private readonly lost = new Map<TopicName, { readonly count: number; readonly before: number }>();
  /** Of the client, in their order. */
  private readonly absences: Absence[] = [];
  /** What waited in the stored queue when the client came back, up to this position, goes out first: it may be older. */
  private waitsFor = 0;

  constructor(core: Core, session: Session) {
    this.core = core;
    this.session = session;
    core.retainedNews.begin();
  }

  /** Owes the retained messages of a subscription, once more if it owes them already. */
  add(subscription: StoredSubscription): void {
    const { count } = this.core.retainedNews;
    const owed = this.waiting.get(subscription.filter);
    if (owed === undefined) {
      this.waiting.set(subscription.filter, { subscription, since: [count] });
      return;
    }
    owed.subscription = subscription;
    owed.since.push(count);
  }

  /** Nothing is added for a filter that was unsubscribed [MQTT-3.10.4-2]. */
  remove(filter: TopicFilter): void {
    this.waiting.delete(filter);
    if (this.scan?.subscription.filter === filter) this.scan = undefined;
  }

  /** The one that was just retained was given up for the client, which may have it from here. */
  missed(topic: TopicName): void {
    const { count, lastTopic, before } = this.core.retainedNews;
    if (topic !== lastTopic) return;
    const { lost } = this;
    const known = lost.get(topic);
    lost.delete(topic);
    const [oldest] = lost.keys();
    if (lost.size >= LOST_MAX && oldest !== undefined) lost.delete(oldest);
    lost.set(topic, { count, before: known?.count === before ? known.before : before });
  }

  /** The connection is gone, and the session stays. */
  leave(): void {
    this.reading = false;
    this.lost.clear();
    const { scan, absences } = this;
    if (scan !== undefined && !this.putBack(scan) && !scan.more) this.scan = undefined;
    const { count } = this.core.retainedNews;
    const last = absences.at(-1);
    if (last?.to === count) last.to = Number.POSITIVE_INFINITY;
    else absences.push({ from: count, to: Number.POSITIVE_INFINITY });
    if (absences.length > ABSENCES_MAX) absences.shift();
  }

  /** The session has a connection again; subscriptions may have ended meanwhile. */
  comeBack(): void {
    const { core, session, scan } = this;
    const last = this.absences.at(-1);
    if (last !== undefined) last.to = core.retainedNews.count;
    this.waitsFor = session.seq;
    for (const filter of this.waiting.keys()) if (!core.router.has(session, filter)) this.waiting.delete(filter);
    if (scan !== undefined && !core.router.has(session, scan.subscription.filter)) this.scan = undefined;
  }

  /** Hands over as much as the client can take now. */
  goOn(): void {
    const { session } = this;
    const { client } = session;
    if (this.reading || client === undefined) return;
    if (session.behind && session.readSeq < this.waitsFor) return;
    for (;;) {
      const scan = (this.scan ??= this.next());
      if (scan === undefined) {
        this.end();
        return;
      }
      // It is not known any more what of it is replaced [MQTT-4.6.0-6].
      if (this.core.retainedNews.forgotten > this.asked) this.putBack(scan);
      for (; scan.at < scan.page.length; scan.at++) {
        if (!this.handCopies(scan.page[scan.at] as Message, scan, client)) return;
      }
      if (scan.more) {
        this.read(scan, client);
        return;
      }
      this.scan = undefined;
    }
  }

  private next(): Scan | undefined {
    for (const [filter, { subscription, since }] of this.waiting) {
      this.waiting.delete(filter);
      const start = { from: undefined, cursor: undefined, more: true };
      return { subscription, since, page: [], at: 0, topic: undefined, copies: 0, ...start };
    }
    return undefined;
  }

  /** What is left of the page will be read anew; false if nothing is. */
  private putBack(scan: Scan): boolean {
    if (scan.at >= scan.page.length) return false;
    const last = scan.page[scan.at - 1];
    scan.cursor = last === undefined ? scan.from : this.core.store.retainedBehind(last.topic);
    scan.more = true;
    scan.page = [];
    scan.at = 0;
    return true;
  }

  /** False if the client cannot take all of them now. */
  private handCopies(message: Message, scan: Scan, client: Client): boolean {
    const copies = this.owedOf(message, scan);
    if (copies > 0 && scan.topic !== message.topic) {
      scan.topic = message.topic;
      scan.copies = 0;
    }
    for (; scan.copies < copies; scan.copies++) if (!this.hand(message, scan.subscription, client)) return false;
    return true;
  }

  /**
   * How many copies: one for each SUBSCRIBE after which nothing newer came. What came later the client was sent itself: it does
   * not get that twice, nor an older one behind it [MQTT-4.6.0-6]; but not at QoS 0 while it was away.
   */
  private owedOf({ topic, qos }: Message, { since, subscription }: Scan): number {
    const last = this.core.retainedNews.at(topic);
    const lost = this.lost.get(topic);
    const newer = lost?.count === last ? lost.before : last;
    if ((qos === 0 || subscription.qos === 0) && this.wasAway(newer)) return since.length;
    return newer === 0 ? since.length : since.filter((count) => count >= newer).length;
  }

  private wasAway(count: number): boolean {
    return this.absences.some(({ from, to }) => from < count && count <= to);
  }

  /** There is nothing left to hand over, or nobody to take it any more. */
  end(): void {
    this.session.handover = undefined;
    this.core.retainedNews.end();
  }

  private read(scan: Scan, client: Client): void {
    this.reading = true;
    this.asked = this.core.retainedNews.count;
    scan.from = scan.cursor;
    this.core.store.matchRetained(scan.subscription.filter, scan.cursor, PAGE, (messages, next, fault) => {
      if (this.session.client !== client) return;
      this.reading = false;
      client.link.run(() => {
        if (fault !== undefined) throw this.core.reports.storeFault(fault);
        scan.page = messages;
        scan.at = 0;
        scan.cursor = next;
        scan.more = next !== undefined;
        this.goOn();
      });
    });
  }

  /** False if the client cannot take the message now. */
  private hand(message: Message, subscription: StoredSubscription, client: Client): boolean {
    const { core, session } = this;
    if (leftMs(message, core) <= 0) {
      core.counters.messagesExpired += 1;
      core.retainedLimits.forgetExpired(message.topic, core.nowMs);
      return true;
    }
    if (subscription.noLocal && message.publisher === session.key) return true;
    if (!mayReceive(core, session, message, true)) return true;
    const qos = subscription.qos < message.qos ? subscription.qos : message.qos;
    if (client.link.congested || (qos > 0 && !core.owed.hasRoom(session, QUEUE_SHARE))) return false;
    const passage = Passage.ofMessage(message, core);
    const ids = subscription.subscriptionIdentifier === 0 ? [] : [subscription.subscriptionIdentifier];
    if (qos === 0) sendQoS0(core, client, passage, true, ids);
    else owe(core, session, passage, qos, true, ids, undefined);
    return true;
  }
}
