// Who was promised what, and what arrived. A *party* is a client, or a group of them that shares a subscription. Every message has a number of its own in its payload; a promise is an acknowledgement
// to its publisher. What breaks a promise is thrown, with the message and all that is known of it.

import { type QoS, topicMatches } from '@motte/wire';

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

export class Ledger {
  readonly #sent: Sent[] = [];
  readonly #granted = new Map<string, { readonly filter: string; readonly qos: QoS }[]>();
  readonly #partyOf = new Map<string, string>();
  readonly #subscribed = new Set<string>();
  /** Messages that the broker said it gave up for a party. */
  readonly #givenUp = new Map<string, number>();
  /** How often each message reached each party: `party number`. */
  readonly #arrivals = new Map<string, number>();
  readonly #arrived = new Set<Sent>();
  /** The last number that a client got for the first time, by publisher, topic and QoS. */
  readonly #lastFirst = new Map<string, number>();

  /** A client asks for subscriptions; messages may reach it from then on. With `$share/GROUP/FILTER` it is no party itself. */
  ask(client: string, filters: readonly string[]): void {
    const [, group] = SHARED.exec(filters[0] as string) ?? [];
    this.#partyOf.set(client, group === undefined ? client : `group ${group}`);
  }

  /** A client was granted a subscription. */
  grant(client: string, filter: string, qos: QoS): void {
    this.#subscribed.add(client);
    const party = this.#partyOf.get(client) as string;
    const granted = this.#granted.get(party) ?? [];
    const plain = SHARED.exec(filter)?.[2] ?? filter;
    if (granted.some((one) => one.filter === plain)) return;
    granted.push({ filter: plain, qos });
    this.#granted.set(party, granted);
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
      const matching = granted.filter(({ filter }) => topicMatches(filter, topic));
      if (matching.length === 0) continue;
      const best = Math.max(...matching.map((one) => one.qos));
      entitled.set(party, Math.min(best, qos) as QoS);
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
    this.#arrived.add(sent);
    const party = this.#partyOf.get(client) ?? client;
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
