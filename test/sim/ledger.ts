// Who was promised what, and what arrived. Every message has a number of its own in its payload; a promise is an acknowledgement
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
  /** Clients whose subscription was granted before it was sent, with the QoS they get it with. */
  readonly entitled: ReadonlyMap<string, QoS>;
  acknowledged: boolean;
  /** Refused by the broker: nobody is owed anything. */
  refused: boolean;
}

export class Ledger {
  readonly #sent: Sent[] = [];
  readonly #granted = new Map<string, { readonly filter: string; readonly qos: QoS }[]>();
  /** How often each message reached each client: `client number`. */
  readonly #arrivals = new Map<string, number>();
  /** The last number that a client got for the first time, by publisher, topic and QoS. */
  readonly #lastFirst = new Map<string, number>();

  /** A client was granted a subscription. */
  grant(client: string, filter: string, qos: QoS): void {
    const granted = this.#granted.get(client) ?? [];
    if (granted.some((one) => one.filter === filter)) return;
    granted.push({ filter, qos });
    this.#granted.set(client, granted);
  }

  /** True if the client has anything that a lost session would take from it. */
  hasGrants(client: string): boolean {
    return this.#granted.has(client);
  }

  /** A message leaves its publisher for the first time. */
  send(publisher: string, topic: string, qos: QoS, owedUntilMs: number): Sent {
    const entitled = new Map<string, QoS>();
    for (const [client, granted] of this.#granted) {
      const matching = granted.filter(({ filter }) => topicMatches(filter, topic));
      if (matching.length === 0) continue;
      const best = Math.max(...matching.map((one) => one.qos));
      entitled.set(client, Math.min(best, qos) as QoS);
    }
    const sent = {
      number: this.#sent.length,
      publisher,
      topic,
      qos,
      owedUntilMs,
      expiresAtMs: owedUntilMs,
      entitled,
      acknowledged: false,
      refused: false,
    };
    this.#sent.push(sent);
    return sent;
  }

  /** A message reached a client that had not finished with it before. */
  arrive(client: string, number: number, nowMs: number): void {
    const sent = this.#sent[number];
    if (sent === undefined) throw new Error(`${client} got message ${number}, which nobody sent`);
    const qos = sent.entitled.get(client);
    const key = `${client} ${number}`;
    const before = this.#arrivals.get(key) ?? 0;
    this.#arrivals.set(key, before + 1);
    if (before > 0 && qos === 2) throw new Error(`${client} got twice: ${show(sent)}`);
    if (before > 0 && sent.qos === 0) throw new Error(`${client} got QoS 0 twice: ${show(sent)}`);
    // What was sent before the subscription stood may still come, sent again by its publisher, and has no place in the order.
    if (before > 0 || qos === undefined) return;
    if (nowMs > sent.expiresAtMs + EXPIRY_SLACK_MS) throw new Error(`${client} got after its end: ${show(sent)}`);
    // One that expired or was lost on its way, and was sent again by its publisher, comes later than it might have.
    if (Number.isFinite(sent.expiresAtMs) || (qos === 0 && sent.qos > 0)) return;
    const order = `${client} ${sent.publisher} ${sent.topic} ${sent.qos} ${qos}`;
    const last = this.#lastFirst.get(order) ?? -1;
    if (last > number) throw new Error(`${client} got ${number} after ${last}: ${show(sent)}`);
    this.#lastFirst.set(order, number);
  }

  /** Everybody has had every chance: whatever was promised and has not expired must have arrived. */
  settle(nowMs: number): void {
    for (const sent of this.#sent) {
      if (!sent.acknowledged || sent.refused || nowMs >= sent.owedUntilMs) continue;
      for (const [client, qos] of sent.entitled) {
        if (qos > 0 && !this.#arrivals.has(`${client} ${sent.number}`)) {
          throw new Error(`${client} never got an acknowledged message: ${show(sent)}`);
        }
      }
    }
  }

  get counts(): { readonly sent: number; readonly acknowledged: number; readonly arrived: number } {
    const acknowledged = this.#sent.filter((sent) => sent.acknowledged).length;
    return { sent: this.#sent.length, acknowledged, arrived: this.#arrivals.size };
  }
}

function show({ number, publisher, topic, qos, acknowledged }: Sent): string {
  return `message ${number} of ${publisher} to ${topic} with QoS ${qos}, ${acknowledged ? '' : 'not '}acknowledged`;
}

/** Expiry is in whole seconds, and what was sent before its end may be on its way after it. */
const EXPIRY_SLACK_MS = 60_000;
