// A client of the simulation, publisher and subscriber in one, that does all the standard asks of it: keeps its session over
// connections, sends again what was not acknowledged, and takes each QoS 2 message once.

import { decode, encode, FrameReader, type Packet, type Publish, type QoS } from '@motte/wire';
import type { Chance } from '../fuzz/chance.ts';
import type { Ledger, Sent } from './ledger.ts';

/** A connection as its client has it. */
export interface Wire {
  send(bytes: Uint8Array): void;
  /** Ends it without a word. */
  cut(): void;
}

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

export class SimClient {
  readonly id: string;
  readonly version: 4 | 5;
  readonly #ledger: Ledger;
  readonly #chance: Chance;
  readonly #nowMs: () => number;
  readonly #wants: readonly Subscribing[];
  #wire: Wire | undefined = undefined;
  #reader = new FrameReader(1024 * 1024);
  #isConnected = false;
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #received = new Set<number>();
  /** Acknowledgements that were not sent yet, in the order in which they are due. */
  readonly #due: Packet[] = [];
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
    return this.#wire !== undefined;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** What is unfinished, for people. */
  get state(): string {
    const unfinished = `${this.#outgoing.size} sent, ${this.#received.size} received, ${this.#due.length} to acknowledge`;
    return `${this.id} ${this.#isConnected ? 'connected' : 'away'}: ${unfinished}`;
  }

  /** Nothing is unfinished, on either side. */
  get isDone(): boolean {
    return this.#isConnected && this.#outgoing.size === 0 && this.#due.length === 0 && this.#received.size === 0;
  }

  /** Begins a connection; an older one of the same client may still live. */
  connect(wire: Wire): void {
    this.#wire = wire;
    this.#reader = new FrameReader(1024 * 1024);
    this.#isConnected = false;
    this.#due.length = 0;
    const asked = { sessionExpiryInterval: 0xffff_ffff, receiveMaximum: this.#chance.between(1, 20) };
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
    if (this.#wire !== wire) return;
    this.#wire = undefined;
    this.#isConnected = false;
  }

  cut(): void {
    this.#wire?.cut();
  }

  publish(topic: string, qos: QoS, { expirySeconds = 0, retain = false } = {}): void {
    if (!this.#isConnected || this.#outgoing.size >= OUTGOING_MAX || (expirySeconds > 0 && this.version < 5)) return;
    const expiresAtMs = expirySeconds === 0 ? Number.POSITIVE_INFINITY : this.#nowMs() + expirySeconds * 1000;
    const sent = this.#ledger.send(this.id, topic, qos, expiresAtMs, retain);
    const payload = new TextEncoder().encode(String(sent.number));
    const properties = expirySeconds === 0 ? {} : { messageExpiryInterval: expirySeconds };
    const packetId = qos === 0 ? 0 : this.#nextPacketId();
    const packet: Publish = { type: 'publish', topic, payload, qos, retain, dup: false, packetId, properties };
    if (qos > 0) this.#outgoing.set(packetId, { packet, sent, released: false });
    this.#send(packet);
  }

  /** The broker says that it refused a message of this client; the answer may be lost. */
  refused(): void {
    for (const { sent } of this.#outgoing.values()) sent.mayComeLate = true;
  }

  /** Sends one acknowledgement that is due. */
  acknowledge(): void {
    const packet = this.#due.shift();
    if (packet !== undefined) this.#send(packet);
  }

  /** What the broker sent has arrived. */
  take(wire: Wire, bytes: Uint8Array): void {
    if (this.#wire !== wire) return;
    const reader = this.#reader;
    reader.push(bytes.slice());
    while (reader.next()) this.#receive(decode(reader.buffer.slice(reader.start, reader.end), this.version));
  }

  #receive(packet: Packet): void {
    switch (packet.type) {
      case 'connack':
        this.#connected(packet.reasonCode, packet.sessionPresent);
        break;
      case 'suback':
        for (const [at, code] of packet.reasonCodes.entries()) {
          const wanted = this.#wants[at] as Subscribing;
          if (code <= 2) this.#ledger.grant(this.id, wanted.filter, code as QoS);
        }
        if (packet.reasonCodes.some((code) => code > 2)) this.cut();
        break;
      case 'publish':
        this.#arrived(packet);
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
      case 'pubrel':
        this.#received.delete(packet.packetId);
        this.#due.push({ type: 'pubcomp', packetId: packet.packetId, reasonCode: 0, properties: {} });
        break;
      case 'disconnect':
        break;
      default:
        throw new Error(`${this.id} got a ${packet.type}`);
    }
  }

  #connected(reasonCode: number, sessionPresent: boolean): void {
    if (reasonCode !== 0) {
      this.cut();
      return;
    }
    if (!sessionPresent) {
      if (this.#ledger.hasGrants(this.id)) throw new Error(`the session of ${this.id} is gone`);
      this.#received.clear();
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
    const retainHandling = this.version === 5 ? (2 as const) : (0 as const);
    const options = { noLocal: false, retainAsPublished: false, retainHandling };
    const subscriptions = this.#wants.map((wanted) => ({ ...options, ...wanted }));
    this.#ledger.ask(
      this.id,
      this.#wants.map(({ filter }) => filter),
    );
    this.#send({ type: 'subscribe', packetId: SUBSCRIBE_ID, subscriptions, properties: {} });
  }

  #arrived({ packetId, qos, payload }: Publish): void {
    const number = Number(new TextDecoder().decode(payload));
    if (qos === 2) {
      if (!this.#received.has(packetId)) this.#ledger.arrive(this.id, number, this.#nowMs());
      this.#received.add(packetId);
      this.#due.push({ type: 'pubrec', packetId, reasonCode: 0, properties: {} });
      return;
    }
    this.#ledger.arrive(this.id, number, this.#nowMs());
    if (qos === 1) this.#due.push({ type: 'puback', packetId, reasonCode: 0, properties: {} });
  }

  #finish(packetId: number, reasonCode: number): void {
    const outgoing = this.#outgoing.get(packetId);
    if (outgoing === undefined) return;
    this.#outgoing.delete(packetId);
    if (reasonCode >= 0x80) outgoing.sent.refused = true;
    else outgoing.sent.acknowledged = true;
  }

  #send(packet: Packet): void {
    this.#wire?.send(encode(packet, this.version));
  }

  #nextPacketId(): number {
    do this.#lastPacketId = (this.#lastPacketId % 50_000) + 1;
    while (this.#outgoing.has(this.#lastPacketId));
    return this.#lastPacketId;
  }
}

/** Below the broker's Receive Maximum. */
const OUTGOING_MAX = 20;
