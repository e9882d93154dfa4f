// A client of the simulation, publisher and subscriber in one, that does all the standard asks of it: keeps its session over
// connections, sends again what was not acknowledged, and takes each QoS 2 message once.

import type { Packet, Publish, QoS } from '@motte/wire';
import type { Chance } from '../fuzz/chance.ts';
import { Endpoint, type EndpointOwner, type Wire } from './endpoint.ts';
import type { Ledger, Sent } from './ledger.ts';
import type { Peer } from './network.ts';

const SUBSCRIBE_ID = 60_000;

interface Outgoing {
  readonly packet: Publish;
  readonly sent: Sent;
  /** QoS 2: PUBREC came, PUBREL is owed. */
  released: boolean;
}

export interface Subscribing {
  readonly filter: string;
  readonly qos: QoS;
}

export interface SimClientOptions {
  readonly id: string;
  readonly version: 4 | 5;
  readonly wants: readonly Subscribing[];
}

export class SimClient implements EndpointOwner, Peer {
  readonly id: string;
  readonly version: 4 | 5;
  readonly #ledger: Ledger;
  readonly #chance: Chance;
  readonly #nowMs: () => number;
  readonly #wants: readonly Subscribing[];
  readonly #endpoint = new Endpoint(this);
  #isConnected = false;
  readonly #outgoing = new Map<number, Outgoing>();
  /** QoS 0 with a PINGREQ behind it that was not answered yet. */
  readonly #asked: Sent[] = [];
  #lastPacketId = 0;

  constructor({ id, version, wants }: SimClientOptions, ledger: Ledger, chance: Chance, nowMs: () => number) {
    this.id = id;
    this.version = version;
    this.#wants = wants;
    this.#ledger = ledger;
    this.#chance = chance;
    this.#nowMs = nowMs;
  }

  get isOnline(): boolean {
    return this.#endpoint.isOnline;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** What is unfinished, for people. */
  get state(): string {
    const { state } = this.#endpoint;
    return `${this.id} ${this.#isConnected ? 'connected' : 'away'}: ${this.#outgoing.size} sent, ${state}`;
  }

  /** Nothing is unfinished, on either side. */
  get isDone(): boolean {
    return this.#isConnected && this.#outgoing.size === 0 && this.#endpoint.isDone;
  }

  /** Begins a connection; an older one of the same client may still live. */
  connect(wire: Wire): void {
    this.#isConnected = false;
    this.#asked.length = 0;
    const limits = { receiveMaximum: this.#chance.between(1, 20), topicAliasMaximum: this.#chance.int(4) };
    this.#endpoint.begin(wire, limits);
    const asked = { sessionExpiryInterval: 0xffff_ffff, ...limits };
    this.#send({
      type: 'connect',
      version: this.version,
      clientId: this.id,
      cleanStart: false,
      keepAlive: 0,
      properties: this.version === 5 ? asked : {},
    });
  }

  /** The connection is over, for whatever reason. */
  lost(wire: Wire): void {
    if (this.#endpoint.lost(wire)) this.#isConnected = false;
  }

  cut(): void {
    this.#endpoint.cut();
  }

  /** Undefined if it cannot now. */
  publish(topic: string, qos: QoS, { expirySeconds = 0, retain = false, isClear = false } = {}): Sent | undefined {
    if (!this.#isConnected || this.#outgoing.size >= OUTGOING_MAX) return undefined;
    if (expirySeconds > 0 && this.version < 5) return undefined;
    const lifeMs = expirySeconds === 0 ? Number.POSITIVE_INFINITY : expirySeconds * 1000;
    const sent = this.#ledger.send({ publisher: this.id, topic, qos, retain, isClear, lifeMs }, this.#nowMs());
    const payload = new TextEncoder().encode(isClear ? '' : String(sent.number));
    const properties = expirySeconds === 0 ? {} : { messageExpiryInterval: expirySeconds };
    const packetId = qos === 0 ? 0 : this.#nextPacketId();
    const packet: Publish = { type: 'publish', topic, payload, qos, retain, dup: false, packetId, properties };
    if (qos > 0) this.#outgoing.set(packetId, { packet, sent, released: false });
    this.#send(packet);
    if (qos === 0 && retain) {
      // The answer says that the message was there before.
      this.#asked.push(sent);
      this.#send({ type: 'pingreq' });
    }
    return sent;
  }

  /** True while a message to the topic is not acknowledged. */
  isPublishing(topic: string): boolean {
    for (const { sent } of this.#outgoing.values()) if (sent.topic === topic) return true;
    return false;
  }

  /** The broker says that it refused a message of this client; the answer may be lost. */
  refused(): void {
    for (const { sent } of this.#outgoing.values()) sent.mayComeLate = true;
  }

  /** Sends one acknowledgement that is due. */
  acknowledge(): void {
    this.#endpoint.acknowledge();
  }

  /** What the broker sent has arrived. */
  take(wire: Wire, bytes: Uint8Array): void {
    this.#endpoint.take(wire, bytes);
  }

  received(packet: Packet): void {
    switch (packet.type) {
      case 'suback':
        for (const [at, code] of packet.reasonCodes.entries()) {
          const wanted = this.#wants[at] as Subscribing;
          if (code <= 2) this.#ledger.grant(this.id, wanted.filter, code as QoS);
        }
        if (packet.reasonCodes.some((code) => code > 2)) this.cut();
        break;
      case 'puback':
        this.#finish(packet.packetId, packet.reasonCode);
        break;
      case 'pubrec': {
        const outgoing = this.#outgoing.get(packet.packetId);
        if (outgoing === undefined) break;
        if (packet.reasonCode >= 0x80) this.#finish(packet.packetId, packet.reasonCode);
        else {
          outgoing.released = true;
          this.#send({ type: 'pubrel', packetId: packet.packetId, reasonCode: 0, properties: {} });
        }
        break;
      }
      case 'pubcomp':
        this.#finish(packet.packetId, 0);
        break;
      case 'pingresp':
        this.#settle(this.#asked.shift() as Sent);
        break;
      default:
        throw new Error(`${this.id} got a ${packet.type}`);
    }
  }

  accepted(sessionPresent: boolean): void {
    if (!sessionPresent) {
      if (this.#ledger.hasGrants(this.id)) throw new Error(`the session of ${this.id} is gone`);
      this.#endpoint.forget();
    }
    // Until SUBACK has come nobody knows whether it was granted, so it is asked again.
    if (!this.#ledger.hasGrants(this.id)) this.#subscribe();
    this.#isConnected = true;
    for (const [packetId, { packet, sent, released }] of this.#outgoing) {
      if (released) this.#send({ type: 'pubrel', packetId, reasonCode: 0, properties: {} });
      else {
        const { messageExpiryInterval } = packet.properties;
        if (messageExpiryInterval !== undefined) sent.expiresAtMs = this.#nowMs() + messageExpiryInterval * 1000;
        this.#send({ ...packet, dup: true });
      }
    }
  }

  #subscribe(): void {
    // Before MQTT 5.0 nobody can do without what is retained.
    const retainHandling = this.version === 5 ? (this.#chance.int(3) as 0 | 1 | 2) : (0 as const);
    const options = { noLocal: false, retainAsPublished: false, retainHandling };
    const subscriptions = this.#wants.map((wanted) => ({ ...options, ...wanted }));
    this.#ledger.ask(
      this.id,
      this.#wants.map(({ filter }) => filter),
    );
    this.#send({ type: 'subscribe', packetId: SUBSCRIBE_ID, subscriptions, properties: {} });
  }

  arrived({ topic, payload, dup }: Publish): void {
    if (payload.length === 0) return;
    this.#ledger.arrive(this.id, topic, Number(new TextDecoder().decode(payload)), { nowMs: this.#nowMs(), dup });
  }

  #finish(packetId: number, reasonCode: number): void {
    const outgoing = this.#outgoing.get(packetId);
    if (outgoing === undefined) return;
    this.#outgoing.delete(packetId);
    if (reasonCode >= 0x80) outgoing.sent.refused = true;
    else this.#settle(outgoing.sent);
  }

  #settle(sent: Sent): void {
    sent.acknowledged = true;
    sent.acknowledgedAtMs = this.#nowMs();
  }

  #send(packet: Packet): void {
    this.#endpoint.send(packet);
  }

  #nextPacketId(): number {
    do this.#lastPacketId = (this.#lastPacketId % 50_000) + 1;
    while (this.#outgoing.has(this.#lastPacketId));
    return this.#lastPacketId;
  }
}

/** Below the broker's Receive Maximum. */
const OUTGOING_MAX = 20;
