// Who was promised what, and what arrived. A *party* is a client, or a group of them that shares a subscription. Every message has a number of its own in its payload; a promise is an acknowledgement
// to its publisher. What breaks a promise is thrown, with the message and all that is known of it.

import { type QoS, topicMatches } from '@motte/wire';
import type { Rights } from './rights.ts';

export interface Sent {
  readonly number: number;
  readonly publisher: string;
  readonly topic: string;
  readonly qos: QoS;
  /** Wall-clock ms after which nobody need get it, as of when it was first sent; infinity = never. */
  readonly owedUntilMs: number;
  /** Wall-clock ms after which nobody may get it, as of when it was last sent. */
  expiresAtMs: number;
  /** How long it lives; infinity = for ever. */
  readonly lifeMs: number;
  /** True if the broker is asked to retain it. */
  readonly retain: boolean;
  /** True if it has no payload: with `retain`, it takes away what was retained. Nobody knows it again, so it is owed to nobody. */
  readonly isClear: boolean;
  /** Parties whose subscription was granted before it was sent, with the QoS they get it with. */
  readonly entitled: ReadonlyMap<string, QoS>;
  /** Of QoS 0: what was sent behind it was answered. */
  acknowledged: boolean;
  /** Wall-clock ms when that came; undefined = it did not. */
  acknowledgedAtMs: number | undefined;
  /** Refused by the broker: nobody is owed anything. */
  refused: boolean;
  /** The broker refused or gave up something while it was unfinished: sent again, it may come behind later ones. */
  mayComeLate: boolean;
  /** The statement of the standard by which it must not come now; undefined = it may. */
  whyNotNow: (() => string | undefined) | undefined;
  /** True if the broker may send it anew. */
  mayRepeat: (() => boolean) | undefined;
}

export type Sending = Pick<Sent, 'publisher' | 'topic' | 'qos' | 'retain' | 'isClear' | 'lifeMs'>;

interface Granted {
  readonly filter: string;
  readonly qos: QoS;
}

interface EndedSubscription {
  readonly client: string;
  readonly filter: string;
  /** What stood beside it, and may have stood since. */
  readonly others: readonly string[];
  /** The number of the next message when it ended. */
  readonly at: number;
  /** The machine's count then: a crash brings a subscription back whose end was not on the disk. */
  readonly crashes: number;
  /** True once it must be on the disk. */
  isKept: boolean;
}

export class Ledger {
  readonly #sent: Sent[] = [];
  readonly #granted = new Map<string, Granted[]>();
  readonly #partyOf = new Map<string, string>();
  /** Clients that are gone for ever, since which number. */
  readonly #departed = new Map<string, number>();
  /** What must not reach a client, because it was settled before the client came. */
  readonly #strange = new Map<string, ReadonlySet<Sent>>();
  readonly #rights = new Map<string, Rights>();
  /** Subscriptions that ended with their right, since which number. */
  #ended: EndedSubscription[] = [];
  readonly #subscribed = new Set<string>();
  /** Messages that the broker said it gave up for a party. */
  readonly #givenUp = new Map<string, number>();
  /** How often each message reached each party: `party number`. */
  readonly #arrivals = new Map<string, number>();
  readonly #arrived = new Set<Sent>();
  /** The last number that a client got for the first time, by publisher, topic and QoS. */
  readonly #lastFirst = new Map<string, number>();
  readonly #crashes: () => number;

  /** `crashes` counts how often the machine lost its power, where that can be known. */
  constructor(crashes: () => number = () => 0) {
    this.#crashes = crashes;
  }

  /** The number of the message that is sent next. */
  get next(): number {
    return this.#sent.length;
  }

  /** A client asks for subscriptions; messages may reach it from then on. With `$share/GROUP/FILTER` it is no party itself. */
  ask(client: string, filters: readonly string[]): void {
    const [, group] = SHARED.exec(filters[0] as string) ?? [];
    this.#partyOf.set(client, group === undefined ? client : `group ${group}`);
  }

  /** A client was granted a subscription. */
  grant(client: string, filter: string, qos: QoS): void {
    if (this.#departed.has(client)) return;
    this.#subscribed.add(client);
    const party = this.#partyOf.get(client) as string;
    const granted = this.#granted.get(party) ?? [];
    const plain = SHARED.exec(filter)?.[2] ?? filter;
    if (granted.some((one) => one.filter === plain)) return;
    granted.push({ filter: plain, qos });
    this.#granted.set(party, granted);
  }

  /** A client comes that may have the name of an earlier one: nothing that was settled by now is for it. */
  arriveNew(client: string): void {
    this.#strange.set(client, new Set(this.#sent.filter(({ acknowledged, retain }) => acknowledged && !retain)));
  }

  /** A client, of no group, is gone for ever, and owed nothing. */
  depart(client: string): void {
    this.#departed.set(client, this.#sent.length);
    this.#granted.delete(client);
    for (const sent of this.#sent) {
      // Nobody sends it again: it may have come to the broker, or not.
      if (sent.publisher === client && !sent.acknowledged) sent.refused = true;
      (sent.entitled as Map<string, QoS>).delete(client);
    }
  }

  /** A client's rights, which may change. */
  bind(client: string, rights: Rights): void {
    this.#rights.set(client, rights);
  }

  /**
   * The rights of a client changed: what it may not receive any more it is not owed, and subscriptions that are not allowed any more
   * end. True if any did. `isAsking` = it has just asked for some, so that nobody knows which of them stand.
   */
  rightsChanged(client: string, isAsking: boolean): boolean {
    const rights = this.#rights.get(client) as Rights;
    const granted = this.#granted.get(client) ?? [];
    const kept = granted.filter(({ filter }) => rights.maySubscribe(filter));
    this.#granted.set(client, kept);
    for (const { topic, number, entitled, acknowledged, qos } of this.#sent) {
      const before = entitled.get(client);
      if (before === undefined || this.#arrivals.has(`${client} ${number}`)) continue;
      // What came before the subscription ended is in the queue; the rest comes by those that are left.
      const now = acknowledged ? before : bestOf(kept, topic, qos);
      if (now === undefined || !rights.mayReceive(topic)) (entitled as Map<string, QoS>).delete(client);
      else (entitled as Map<string, QoS>).set(client, now);
    }
    for (const one of granted) {
      if (kept.includes(one) || isAsking) continue;
      const others = kept.map(({ filter }) => filter);
      const crashes = this.#crashes();
      this.#ended.push({ client, filter: one.filter, others, at: this.#sent.length, crashes, isKept: false });
    }
    return kept.length < granted.length;
  }

  /** A client asks again: what was settled since its subscription ended was not for it, whatever it may receive by now. */
  askAgain(client: string): void {
    for (const { filter, others, at, crashes, isKept } of this.#ended.filter((one) => one.client === client)) {
      if (!isKept && crashes !== this.#crashes()) continue;
      const isBy = (one: string, { topic }: Sent) => topicMatches(one, topic);
      this.forbid(client, at, (sent) => isBy(filter, sent) && !others.some((one) => isBy(one, sent)));
    }
    this.#ended = this.#ended.filter((one) => one.client !== client);
  }

  /** All that was under way has passed: what ended without a crash since is on the disk. */
  calm(): void {
    for (const one of this.#ended) if (one.crashes === this.#crashes()) one.isKept = true;
  }

  /** Such messages must not reach a client, if they were sent from a number on and are settled by now. */
  forbid(client: string, from: number, isSuch: (sent: Sent) => boolean): void {
    const strange = new Set(this.#strange.get(client));
    for (const sent of this.#sent.slice(from)) {
      if (sent.acknowledged && !sent.refused && !sent.retain && isSuch(sent)) strange.add(sent);
    }
    this.#strange.set(client, strange);
  }

  isGranted(client: string, filter: string): boolean {
    return this.#granted.get(client)?.some((one) => one.filter === filter) ?? false;
  }

  /** True if the client has anything that a lost session would take from it. */
  hasGrants(client: string): boolean {
    return this.#subscribed.has(client);
  }

  /** The broker says that it gave up a message for this client. */
  giveUp(client: string): void {
    const party = this.#partyOf.get(client);
    if (party === undefined) throw new Error(`${client} lost a message before it subscribed`);
    this.#givenUp.set(party, (this.#givenUp.get(party) ?? 0) + 1);
    // Which message it was is not said. Should the broker die before its publisher is told, it is sent again, and late.
    for (const sent of this.#sent) if (!sent.acknowledged) sent.mayComeLate = true;
  }

  /** A message leaves its publisher for the first time. */
  send({ publisher, topic, qos, retain, isClear, lifeMs }: Sending, nowMs: number): Sent {
    const entitled = isClear ? new Map<string, QoS>() : this.#entitled(topic, qos);
    const sent: Sent = {
      number: this.#sent.length,
      publisher,
      topic,
      qos,
      owedUntilMs: nowMs + lifeMs,
      expiresAtMs: nowMs + lifeMs,
      lifeMs,
      retain,
      isClear,
      entitled,
      acknowledged: false,
      acknowledgedAtMs: undefined,
      refused: false,
      mayComeLate: false,
      whyNotNow: undefined,
      mayRepeat: undefined,
    };
    this.#sent.push(sent);
    return sent;
  }

  #entitled(topic: string, qos: QoS): Map<string, QoS> {
    const entitled = new Map<string, QoS>();
    for (const [party, granted] of this.#granted) {
      if (this.#rights.get(party)?.mayReceive(topic) === false) continue;
      const best = bestOf(granted, topic, qos);
      if (best !== undefined) entitled.set(party, best);
    }
    return entitled;
  }

  /** A message reached a client that had not finished with it before; `dup` = it may have been sent to it before. */
  arrive(client: string, topic: string, number: number, { nowMs, dup }: { nowMs: number; dup: boolean }): void {
    const sent = this.#sent[number];
    if (sent === undefined) throw new Error(`${client} got message ${number}, which nobody sent`);
    if (sent.topic !== topic) throw new Error(`${client} got under ${topic}: ${show(sent)}`);
    const rule = sent.whyNotNow?.();
    if (rule !== undefined) throw new Error(`[${rule}] ${client} got ${show(sent)}`);
    if (number >= (this.#departed.get(client) ?? number + 1))
      throw new Error(`${client} is gone, and got ${show(sent)}`);
    this.#arrived.add(sent);
    const party = this.#partyOf.get(client) ?? client;
    if (party === client && this.#strange.get(client)?.has(sent)) {
      throw new Error(`${client} got what was never for it: ${show(sent)}`);
    }
    const qos = sent.entitled.get(party);
    const key = `${party} ${number}`;
    const before = this.#arrivals.get(key) ?? 0;
    this.#arrivals.set(key, before + 1);
    if (sent.mayRepeat?.() === true) return;
    if (before > 0 && qos === 2) throw new Error(`${client} got twice: ${show(sent)}`);
    if (before > 0 && sent.qos === 0 && qos !== undefined) throw new Error(`${client} got QoS 0 twice: ${show(sent)}`);
    // What was sent before the subscription stood may still come, sent again by its publisher, and has no place in the order.
    if (before > 0 || qos === undefined) return;
    // A copy whose delivery has begun is sent again whatever its age [MQTT-4.4.0-1]; after a crash nobody knows of which that is true.
    if (!dup && nowMs > sent.expiresAtMs + EXPIRY_SLACK_MS) {
      throw new Error(`[MQTT-3.3.2-5] ${client} got after its end: ${show(sent)}`);
    }
    // Members of a group have no order among each other; one that expired or was lost on its way, and was sent again by its
    // publisher, comes later than it might have.
    if (party !== client || sent.mayComeLate || Number.isFinite(sent.expiresAtMs) || (qos === 0 && sent.qos > 0))
      return;
    const order = `${client} ${sent.publisher} ${sent.topic} ${sent.qos} ${qos}`;
    const last = this.#lastFirst.get(order) ?? -1;
    if (last > number) throw new Error(`${client} got ${number} after ${last}: ${show(sent)}`);
    this.#lastFirst.set(order, number);
  }

  /** True if it has reached anybody. */
  hasArrived(sent: Sent): boolean {
    return this.#arrived.has(sent);
  }

  /** What a client that is connected since a number should have got with QoS 0, and did not. */
  missingQoS0(client: string, { since, nowMs }: { since: number; nowMs: number }): number {
    let missing = 0;
    for (const sent of this.#sent.slice(since)) {
      if (!sent.acknowledged || sent.refused || nowMs >= sent.owedUntilMs || sent.entitled.get(client) !== 0) continue;
      // Of QoS 0 what is to be retained is refused without a word while the disk takes nothing.
      if (sent.qos === 0 && sent.retain) continue;
      if (!this.#arrivals.has(`${client} ${sent.number}`)) missing += 1;
    }
    return missing;
  }

  find(number: number): Sent | undefined {
    return this.#sent[number];
  }

  /** Everybody has had every chance: whatever was promised, has not expired and was not given up aloud must have arrived. */
  settle(nowMs: number): void {
    const missing = new Map<string, Sent[]>();
    for (const sent of this.#sent) {
      if (!sent.acknowledged || sent.refused || nowMs >= sent.owedUntilMs) continue;
      for (const [party, qos] of sent.entitled) {
        if (qos === 0 || this.#arrivals.has(`${party} ${sent.number}`)) continue;
        missing.set(party, [...(missing.get(party) ?? []), sent]);
      }
    }
    for (const [party, messages] of missing) {
      const givenUp = this.#givenUp.get(party) ?? 0;
      if (messages.length <= givenUp) continue;
      const last = show(messages.at(-1) as Sent);
      throw new Error(`${party} never got ${messages.length} acknowledged, of which ${givenUp} were given up: ${last}`);
    }
  }

  get counts(): {
    readonly sent: number;
    readonly acknowledged: number;
    readonly arrived: number;
    readonly givenUp: number;
  } {
    const acknowledged = this.#sent.filter((sent) => sent.acknowledged).length;
    return {
      sent: this.#sent.length,
      acknowledged,
      arrived: this.#arrivals.size,
      givenUp: sum(this.#givenUp.values()),
    };
  }
}

/** The QoS with which subscriptions bring a message; undefined = they do not. */
function bestOf(granted: readonly Granted[], topic: string, qos: QoS): QoS | undefined {
  const matching = granted.filter(({ filter }) => topicMatches(filter, topic));
  if (matching.length === 0) return undefined;
  return Math.min(Math.max(...matching.map((one) => one.qos)), qos) as QoS;
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

function show({ number, publisher, topic, qos, acknowledged }: Sent): string {
  return `message ${number} of ${publisher} to ${topic} with QoS ${qos}, ${acknowledged ? '' : 'not '}acknowledged`;
}

const SHARED = /^\$share\/([^/]+)\/(.*)$/;

/** Expiry is in whole seconds, and what was sent before its end may be on its way after it. */
const EXPIRY_SLACK_MS = 60_000;
