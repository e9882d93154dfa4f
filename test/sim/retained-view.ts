// What one session may and must see of retained messages, by its SUBSCRIBEs and by what the ledger says was retained when they
// were sent. What breaks a promise is thrown, with the statement of the standard.

import { type Publish, topicMatches } from '@motte/wire';
import type { Ledger } from './ledger.ts';
import type { Kept, RetainedLedger } from './retained-ledger.ts';

export type Handling = 0 | 1 | 2;

/** A filter of a SUBSCRIBE. */
interface Asked {
  readonly packetId: number;
  readonly filter: string;
  /** False if retained messages must not come for it. */
  readonly mayBring: boolean;
  readonly sentAtMs: number;
  /** What is sent from this number on is published after the subscription stood; infinity until SUBACK. */
  stoodAt: number;
  /** False once SUBACK came, or cannot come any more. */
  isOpen: boolean;
}

/** A subscription from whose SUBSCRIBE on the session has the newest message of every topic. */
interface Owed {
  readonly asked: Asked;
  /** What was certainly there when it was sent, by topic: that is owed again, whatever was seen before. */
  readonly bases: Map<string, Kept>;
  readonly order: number;
  /** The count of the broker's runs when it was sent. */
  readonly runs: number;
  /** True if the connection was lost since: with it, what was on its way at QoS 0. */
  hasLost: boolean;
}

/** What was seen of a topic. */
interface Seen {
  /** When each number came last, in the order of this session. */
  readonly orders: Map<number, number>;
  /** Copies with RETAIN that were not sent again. */
  readonly copies: Map<number, number>;
  newest: number;
  shakes: number;
}

export interface ViewParts {
  readonly who: string;
  readonly qos: number;
  readonly ledger: Ledger;
  readonly retained: RetainedLedger;
  readonly nowMs: () => number;
  /** How often the broker ended: what it owes of retained messages is forgotten then. */
  readonly runs: () => number;
  /** True where a client that does not read loses QoS 0 at once. */
  readonly losesQoS0: boolean;
}

export class RetainedView {
  readonly #parts: ViewParts;
  readonly #asked: Asked[] = [];
  /** Filters that stand, or may. */
  readonly #standing = new Map<string, 'surely' | 'maybe'>();
  /** Filters that were given up, with the number from which on they bring nothing. */
  readonly #left: { readonly filter: string; readonly until: number }[] = [];
  /** Of each topic, the number below which nothing may come any more. */
  readonly #floors = new Map<string, Kept | undefined>();
  readonly #seen = new Map<string, Seen>();
  #owed: Owed[] = [];
  /** Topics of which the broker said that it gave up a message, with the number up to which any may be it. */
  readonly #givenUp = new Map<string, number>();
  #order = 0;
  /** QoS 0 that was sent before this number may have come while the client was away. */
  #backAt = 0;

  constructor(parts: ViewParts) {
    this.#parts = parts;
  }

  get filters(): readonly string[] {
    return [...this.#standing.keys()];
  }

  /** A SUBSCRIBE is sent. */
  subscribe(packetId: number, filters: readonly { readonly filter: string; readonly handling: Handling }[]): void {
    const { retained, nowMs, runs } = this.#parts;
    this.#order += 1;
    for (const { filter, handling } of filters) {
      const standing = this.#standing.get(filter);
      const mayBring = handling === 0 || (handling === 1 && standing !== 'surely');
      const mustBring = handling === 0 || (handling === 1 && standing === undefined);
      const rest = { sentAtMs: nowMs(), stoodAt: Number.POSITIVE_INFINITY, isOpen: true };
      const asked: Asked = { packetId, filter, mayBring, ...rest };
      const bases = new Map<string, Kept>();
      for (const topic of retained.topics) {
        if (!topicMatches(filter, topic)) continue;
        const base = retained.newestCertain(topic);
        if (!this.#floors.has(topic)) this.#floors.set(topic, this.#wasAsked(topic) ? undefined : base);
        if (base !== undefined) bases.set(topic, base);
      }
      if (mustBring) this.#owed.push({ asked, bases, order: this.#order, runs: runs(), hasLost: false });
      this.#asked.push(asked);
      if (standing === undefined) this.#standing.set(filter, 'maybe');
    }
  }

  /** SUBACK for it came. */
  granted(packetId: number, codes: readonly number[]): void {
    const asked = this.#asked.filter((one) => one.packetId === packetId && one.isOpen);
    for (const [at, one] of asked.entries()) {
      one.isOpen = false;
      one.stoodAt = this.#parts.ledger.counts.sent;
      if ((codes[at] as number) <= 2) this.#standing.set(one.filter, 'surely');
      else this.#owed = this.#owed.filter((owed) => owed.asked !== one);
    }
  }

  /** An UNSUBSCRIBE is sent; nothing else is asked until it is answered. */
  unsubscribe(filter: string): void {
    this.#standing.set(filter, 'maybe');
    // Nothing is owed that was not handed over by then.
    this.#owed = this.#owed.filter((owed) => owed.asked.filter !== filter);
  }

  /** UNSUBACK came. */
  unsubscribed(filter: string): void {
    this.#standing.delete(filter);
    this.#left.push({ filter, until: this.#parts.ledger.counts.sent });
  }

  /** The connection is gone; what was granted is owed all the same. */
  lost(): void {
    this.#owed = this.#owed.filter(({ asked }) => !asked.isOpen);
    for (const owed of this.#owed) owed.hasLost = true;
    for (const asked of this.#asked) asked.isOpen = false;
    for (const filter of this.#standing.keys()) this.#standing.set(filter, 'maybe');
  }

  /** There is a connection again, and the session is still there. */
  cameBack(): void {
    this.#backAt = this.#parts.ledger.counts.sent;
  }

  /** The broker says that it gave up a message of this topic for the session. */
  gaveUp(topic: string): void {
    this.#givenUp.set(topic, this.#parts.ledger.counts.sent);
  }

  arrived({ topic, payload, retain, dup, qos, properties }: Publish): void {
    if (!topic.startsWith(KEPT)) return;
    const { retained, who } = this.#parts;
    const seen = this.#seenOf(topic);
    const isEmpty = payload.length === 0;
    if (isEmpty && retain) throw new Error(`[MQTT-3.3.1-7] ${who} got an empty retained message at ${topic}`);
    // Which one it is an empty message does not say: it is no older than the first that it can be.
    const number = isEmpty
      ? retained.since(topic, seen.newest + 1).find(({ sent }) => sent.isClear)?.sent.number
      : Number(new TextDecoder().decode(payload));
    if (number === undefined) return;
    const kept = retained.find(topic, number);
    const what = `message ${number} at ${topic}`;
    if (kept === undefined) throw new Error(`${who} got ${what}, which nobody sent there`);
    if (!this.#mayCome(topic, number)) throw new Error(`[MQTT-3.10.4-2] ${who} got ${what}, sent after UNSUBACK`);
    if (retain) this.#checkCopy(seen, kept, { isRepeated: qos === 1 && dup });
    const isNew = !seen.orders.has(number);
    seen.orders.set(number, ++this.#order);
    const left = properties.messageExpiryInterval ?? 0;
    if (left * 1000 > kept.sent.lifeMs) throw new Error(`[MQTT-3.3.2-6] ${who} got ${what} with ${left} s to live`);
    if (isEmpty) seen.newest = Math.max(seen.newest, number);
    if (isEmpty || !isNew) return;
    const floor = this.#floors.get(topic);
    if (floor !== undefined && number < floor.sent.number && retained.isCertain(floor)) {
      const rule = floor.sent.isClear ? 'MQTT-3.3.1-6' : 'MQTT-3.3.1-5';
      throw new Error(`[${rule}] ${who} got ${what}, though ${floor.sent.number} was there before it subscribed`);
    }
    if (number < seen.newest) throw new Error(`[MQTT-4.6.0-6] ${who} got ${what} after ${seen.newest}`);
    seen.newest = number;
  }

  /** All that was on its way has passed: whatever had to come has come. */
  check(): void {
    const { who, retained } = this.#parts;
    for (const { packetId, isOpen } of this.#asked) {
      if (isOpen) throw new Error(`[MQTT-3.8.4-1] ${who} got no SUBACK ${packetId}`);
    }
    for (const owed of this.#owed) {
      for (const topic of retained.topics) if (topicMatches(owed.asked.filter, topic)) this.#checkTopic(topic, owed);
    }
  }

  /** The newest message was there when the SUBSCRIBE came, or came live: it was seen, or a newer one was. */
  #checkTopic(topic: string, { asked, bases, order, runs, hasLost }: Owed): void {
    const { who, retained, nowMs, qos, losesQoS0 } = this.#parts;
    if (runs !== this.#parts.runs()) return;
    const newest = retained.newestCertain(topic);
    if (newest === undefined || newest.sent.number < (this.#givenUp.get(topic) ?? 0)) return;
    const { number } = newest.sent;
    const isQoS0 = Math.min(qos, newest.sent.qos) === 0;
    if (hasLost && isQoS0) return;
    const after = bases.get(topic) === newest ? order : 0;
    const candidates = retained.since(topic, number);
    const orders = this.#seen.get(topic)?.orders;
    if (candidates.some(({ sent }) => (orders?.get(sent.number) ?? 0) > after)) return;
    // A newer one may have come first, and be over.
    if (candidates.some(({ sent }) => sent.isClear || nowMs() >= sent.owedUntilMs)) return;
    if (losesQoS0 && isQoS0 && (after === 0 || candidates.length > 1)) return;
    const numbers = candidates.map(({ sent }) => sent.number).join(' or ');
    throw new Error(`[MQTT-3.3.1-9] ${who} got nothing at ${topic} for SUBSCRIBE ${asked.filter}: ${numbers}`);
  }

  /** A message of a SUBSCRIBE, not of a publisher: there is one for each that could bring it, and none after its end. */
  #checkCopy(seen: Seen, { sent }: Kept, { isRepeated }: { readonly isRepeated: boolean }): void {
    const { who, qos } = this.#parts;
    const { number, topic } = sent;
    const mayHaveMissed = Math.min(qos, sent.qos) === 0 && number < this.#backAt;
    const asked = this.#asked.filter(
      (one) => one.mayBring && (one.stoodAt > number || mayHaveMissed) && topicMatches(one.filter, topic),
    );
    const copies = (seen.copies.get(number) ?? 0) + (isRepeated ? 0 : 1);
    seen.copies.set(number, copies);
    if (copies > asked.length) {
      throw new Error(`[MQTT-3.3.1-10] ${who} got retained ${number} at ${topic} for the ${copies}. time`);
    }
    const first = Math.min(...asked.map(({ sentAtMs }) => sentAtMs));
    const endsAtMs =
      sent.acknowledgedAtMs === undefined ? Number.POSITIVE_INFINITY : sent.acknowledgedAtMs + sent.lifeMs;
    if (first >= endsAtMs) throw new Error(`[MQTT-3.3.2-5] ${who} got retained ${number} at ${topic} after its end`);
  }

  #wasAsked(topic: string): boolean {
    return this.#asked.some(({ filter }) => topicMatches(filter, topic));
  }

  /** Whether a filter that stood when a message was sent, or later, lets it come. */
  #mayCome(topic: string, number: number): boolean {
    for (const filter of this.#standing.keys()) if (topicMatches(filter, topic)) return true;
    return this.#left.some(({ filter, until }) => until > number && topicMatches(filter, topic));
  }

  /** What a shake took from the broker may come again, behind what was newer. */
  #seenOf(topic: string): Seen {
    const { shakes } = this.#parts.retained;
    let seen = this.#seen.get(topic);
    if (seen === undefined) {
      this.#seen.set(topic, (seen = { orders: new Map(), copies: new Map(), newest: -1, shakes }));
    }
    if (seen.shakes !== shakes) {
      seen.shakes = shakes;
      seen.newest = -1;
    }
    return seen;
  }
}

/** First level of all topics that are retained. */
export const KEPT = 'kept/';
