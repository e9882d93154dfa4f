// Retained messages on their way to a session after its SUBSCRIBEs (3.8.4): one filter after the other, one page at a time,
// no faster than the client takes them, so that neither a million of them nor a client that does not read holds anybody up.

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

/** Topics of which it is remembered when they last got another message. */
const NEWER_MAX = 4096;

/** A filter that waits for its turn. */
interface Owed {
  subscription: StoredSubscription;
  /** Of each SUBSCRIBE, how many messages had been retained by then: each is owed what was there [MQTT-3.8.4-4], read but once. */
  readonly since: number[];
}

/** How far the messages of one filter have come. */
interface Scan extends Readonly<Owed> {
  page: readonly Message[];
  /** Place in the page, and how many copies of the message there were handed over. */
  at: number;
  copies: number;
  cursor: Cursor;
  /** False once the last page was read. */
  more: boolean;
}

/** Ends with the connection it began on; the session has none while nothing is left to hand over. */
export class RetainedHandover {
  private readonly core: Core;
  private readonly session: Session;
  private readonly client: Client;
  /** Filters in the order of their SUBSCRIBEs; bounded by the subscriptions of the session. */
  private readonly waiting = new Map<TopicFilter, Owed>();
  private scan: Scan | undefined = undefined;
  private reading = false;
  /** Messages retained, or forgotten, since it began. */
  private count = 0;
  /** The last of them, by topic: whoever subscribed before was sent it when it came. */
  private readonly newer = new Map<TopicName, number>();
  /** What was remembered of the topic of the very last one before that came. */
  private before = 0;

  constructor(core: Core, session: Session, client: Client) {
    this.core = core;
    this.session = session;
    this.client = client;
    core.handovers.add(this);
  }

  /** Owes the retained messages of a subscription, once more if it owes them already. */
  add(subscription: StoredSubscription): void {
    const owed = this.waiting.get(subscription.filter);
    if (owed === undefined) {
      this.waiting.set(subscription.filter, { subscription, since: [this.count] });
      return;
    }
    owed.subscription = subscription;
    owed.since.push(this.count);
  }

  /** Nothing is added for a filter that was unsubscribed [MQTT-3.10.4-2]. */
  remove(filter: TopicFilter): void {
    this.waiting.delete(filter);
    if (this.scan?.subscription.filter === filter) this.scan = undefined;
  }

  /** A message was retained, or with an empty one forgotten, while older ones may wait here. */
  retained(message: Message): void {
    const { newer } = this;
    const [oldest] = newer.keys();
    if (newer.size >= NEWER_MAX && oldest !== undefined) newer.delete(oldest);
    this.before = newer.get(message.topic) ?? 0;
    newer.delete(message.topic);
    newer.set(message.topic, ++this.count);
  }

  /** The one that was just retained was given up for the client, which may have it from here. */
  missed(topic: TopicName): void {
    if (this.before === 0) this.newer.delete(topic);
    else this.newer.set(topic, this.before);
  }

  /** Hands over as much as the client can take now. */
  goOn(): void {
    if (this.reading || this.session.client !== this.client) return;
    for (;;) {
      const scan = (this.scan ??= this.next());
      if (scan === undefined) {
        this.end();
        return;
      }
      for (; scan.at < scan.page.length; scan.at++, scan.copies = 0) {
        const message = scan.page[scan.at] as Message;
        for (; scan.copies < this.owedOf(message, scan); scan.copies++) {
          if (!this.hand(message, scan.subscription)) return;
        }
      }
      if (scan.more) {
        this.read(scan);
        return;
      }
      this.scan = undefined;
    }
  }

  private next(): Scan | undefined {
    for (const [filter, { subscription, since }] of this.waiting) {
      this.waiting.delete(filter);
      return { subscription, since, page: [], at: 0, copies: 0, cursor: undefined, more: true };
    }
    return undefined;
  }

  /**
   * How many copies: one for each SUBSCRIBE after which nothing newer came. What came later the client was sent itself: it does
   * not get that twice, nor an older one behind it [MQTT-4.6.0-6].
   */
  private owedOf({ topic }: Message, { since }: Scan): number {
    const newer = this.newer.get(topic);
    return newer === undefined ? since.length : since.filter((count) => count >= newer).length;
  }

  /** There is nothing left to hand over, or nobody to take it. */
  end(): void {
    this.session.handover = undefined;
    this.core.handovers.delete(this);
  }

  private read(scan: Scan): void {
    this.reading = true;
    this.core.store.matchRetained(scan.subscription.filter, scan.cursor, PAGE, (messages, next, fault) => {
      this.reading = false;
      if (this.session.client !== this.client) return;
      this.client.link.run(() => {
        if (fault !== undefined) throw this.core.reports.storeFault(fault);
        scan.page = messages;
        scan.at = 0;
        scan.copies = 0;
        scan.cursor = next;
        scan.more = next !== undefined;
        this.goOn();
      });
    });
  }

  /** False if the client cannot take the message now. */
  private hand(message: Message, subscription: StoredSubscription): boolean {
    const { core, session, client } = this;
    if (leftMs(message, core) <= 0) {
      core.counters.messagesExpired += 1;
      core.store.stage({ kind: 'unretain', topic: message.topic, expiredAtMs: core.nowMs }, false);
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
