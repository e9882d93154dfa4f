// A client of the simulation, publisher and subscriber in one, that does all the standard asks of it: keeps its session over
// connections, sends again what was not acknowledged, and takes each QoS 2 message once.

import type { Packet, Publish, QoS, Will } from '@motte/wire';
import type { Chance } from '../fuzz/chance.ts';
import { Endpoint, type EndpointOwner, type Wire } from './endpoint.ts';
import type { Ledger, Sent } from './ledger.ts';
import type { Peer } from './network.ts';
import type { Rights } from './rights.ts';

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
  /** Bytes that the network holds for it; absent = as many as for everybody. */
  readonly windowBytes?: number;
  /** True if it asks behind every QoS 0 message whether that was there. */
  readonly asksAlways?: boolean;
  /** Absent = the identifier. */
  readonly clientId?: string;
  /** Absent = it comes by the listener for everybody. */
  readonly userName?: string;
  /** True if the broker has no session for it when it comes for the first time. */
  readonly isNew?: boolean;
  /** A connection begins; the will that goes with it. */
  readonly connecting?: () => Will | undefined;
  readonly accepted?: () => void;
  /** True if the network failed. */
  readonly ended?: (wasCut: boolean) => void;
  readonly dismissed?: (reasonCode: number) => void;
  /** Absent = it may do all. */
  readonly rights?: Rights;
}

export class SimClient implements EndpointOwner, Peer {
  readonly id: string;
  readonly version: 4 | 5;
  readonly #options: SimClientOptions;
  readonly #ledger: Ledger;
  readonly #chance: Chance;
  readonly #nowMs: () => number;
  readonly #wants: readonly Subscribing[];
  readonly #endpoint = new Endpoint(this);
  #isConnected = false;
  /** The count of messages when this connection was accepted. */
  #connectedAt = 0;
  readonly #outgoing = new Map<number, Outgoing>();
  /** QoS 0 with a PINGREQ behind it that was not answered yet. */
  readonly #asked: Sent[] = [];
  #lastPacketId = 0;
  #connections = 0;
  /** What a SUBSCRIBE asks that was not answered yet. */
  #asking: readonly Subscribing[] = [];
  /** The version of its rights when that was sent, and when this connection began. */
  #askedUnder = 0;
  #beganUnder = 0;

  constructor(options: SimClientOptions, ledger: Ledger, chance: Chance, nowMs: () => number) {
    this.id = options.id;
    this.version = options.version;
    this.#options = options;
    this.#wants = options.wants;
    this.#ledger = ledger;
    this.#chance = chance;
    this.#nowMs = nowMs;
  }

  get clientId(): string {
    return this.#options.clientId ?? this.id;
  }

  get userName(): string | undefined {
    return this.#options.userName;
  }

  /** How many it began. */
  get connections(): number {
    return this.#connections;
  }

  /** A SUBSCRIBE was not answered yet. */
  get isAsking(): boolean {
    return this.#asking.length > 0;
  }

  get windowBytes(): number | undefined {
    return this.#options.windowBytes;
  }

  get isOnline(): boolean {
    return this.#endpoint.isOnline;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** The count of messages when this connection was accepted; undefined = there is none. */
  get connectedAt(): number | undefined {
    return this.#isConnected ? this.#connectedAt : undefined;
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
    if (this.isOnline) this.#options.ended?.(true);
    this.#beganUnder = this.#options.rights?.version ?? 0;
    this.#asking = [];
    this.#isConnected = false;
    this.#connections += 1;
    this.#asked.length = 0;
    const { userName } = this;
    const will = this.#options.connecting?.();
    const limits = { receiveMaximum: this.#chance.between(1, 20), topicAliasMaximum: this.#chance.int(4) };
    this.#endpoint.begin(wire, limits);
    const asked = { sessionExpiryInterval: 0xffff_ffff, ...limits };
    this.#send({
      type: 'connect',
      version: this.version,
      clientId: this.clientId,
      ...(userName === undefined ? {} : { userName }),
      ...(will === undefined ? {} : { will }),
      cleanStart: false,
      keepAlive: 0,
      properties: this.version === 5 ? asked : {},
    });
  }

  /** The connection is over, for whatever reason. */
  lost(wire: Wire, wasCut = true): void {
    if (!this.#endpoint.lost(wire)) return;
    this.#isConnected = false;
    this.#options.ended?.(wasCut);
  }

  cut(): void {
    this.#endpoint.cut();
  }

  /** Reads nothing of its connection, or goes on. */
  hold(isHeld: boolean): void {
    this.#endpoint.hold(isHeld);
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
    this.#options.rights?.sending(sent);
    if (qos > 0) this.#outgoing.set(packetId, { packet, sent, released: false });
    this.#send(packet);
    if (qos === 0 && (retain || this.#options.asksAlways)) {
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
        this.#subscribed(packet.reasonCodes);
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
        this.#pinged(this.#asked.shift() as Sent);
        break;
      default:
        throw new Error(`${this.id} got a ${packet.type}`);
    }
  }

  accepted(sessionPresent: boolean): void {
    this.#options.accepted?.();
    if (sessionPresent && this.#connections === 1 && this.#options.isNew) {
      throw new Error(`[MQTT-3.2.2-2] ${this.id} has a session of another life`);
    }
    if (!sessionPresent) {
      if (this.#ledger.hasGrants(this.id)) throw new Error(`the session of ${this.id} is gone`);
      this.#endpoint.forget();
    }
    // Until SUBACK has come nobody knows whether it was granted, so it is asked again.
    if (!this.#ledger.hasGrants(this.id)) this.subscribe();
    this.#isConnected = true;
    this.#connectedAt = this.#ledger.next;
    for (const [packetId, { packet, sent, released }] of this.#outgoing) {
      if (released) this.#send({ type: 'pubrel', packetId, reasonCode: 0, properties: {} });
      else {
        const { messageExpiryInterval } = packet.properties;
        if (messageExpiryInterval !== undefined) sent.expiresAtMs = this.#nowMs() + messageExpiryInterval * 1000;
        this.#send({ ...packet, dup: true });
      }
    }
  }

  dismissed(reasonCode: number): void {
    this.#options.dismissed?.(reasonCode);
  }

  /** Asks for what it has not, unless it does already. */
  subscribe(): void {
    if (this.isAsking || !this.isOnline) return;
    const { rights } = this.#options;
    const wants = this.#wants.filter(({ filter }) => !this.#ledger.isGranted(this.id, filter));
    if (wants.length === 0) return;
    // Before MQTT 5.0 nobody can do without what is retained.
    const retainHandling = this.version === 5 ? (this.#chance.int(3) as 0 | 1 | 2) : (0 as const);
    const options = { noLocal: false, retainAsPublished: false, retainHandling };
    const subscriptions = wants.map((wanted) => ({ ...options, ...wanted }));
    this.#ledger.ask(
      this.id,
      this.#wants.map(({ filter }) => filter),
    );
    if (rights !== undefined) {
      this.#ledger.askAgain(this.id);
      this.#askedUnder = rights.version;
    }
    this.#asking = wants;
    this.#send({ type: 'subscribe', packetId: SUBSCRIBE_ID, subscriptions, properties: {} });
  }

  #subscribed(codes: readonly number[]): void {
    const asked = this.#asking;
    this.#asking = [];
    const { rights } = this.#options;
    // Should its rights have changed meanwhile, nobody knows what stands.
    if (rights !== undefined && rights.version !== this.#askedUnder) return;
    for (const [at, code] of codes.entries()) {
      const { filter } = asked[at] as Subscribing;
      const isAllowed = rights?.maySubscribe(filter) ?? true;
      if (code <= 2 !== isAllowed && (code <= 2 || code === 0x87)) {
        throw new Error(`${this.id} ${isAllowed ? 'may' : 'may not'} subscribe to ${filter}, and got ${code}`);
      }
      if (code <= 2) this.#ledger.grant(this.id, filter, code as QoS);
    }
    if (rights === undefined && codes.some((code) => code > 2)) this.cut();
  }

  arrived({ topic, payload, dup }: Publish): void {
    if (payload.length === 0) return;
    const sent = this.#ledger.find(Number(new TextDecoder().decode(payload)));
    if (sent !== undefined) this.#options.rights?.arrived(sent, this.#beganUnder);
    this.#ledger.arrive(this.id, topic, Number(new TextDecoder().decode(payload)), { nowMs: this.#nowMs(), dup });
  }

  #finish(packetId: number, reasonCode: number): void {
    const outgoing = this.#outgoing.get(packetId);
    if (outgoing === undefined) return;
    this.#outgoing.delete(packetId);
    this.#options.rights?.answered(outgoing.sent, reasonCode, this.version === 5);
    if (reasonCode >= 0x80) outgoing.sent.refused = true;
    else this.#settle(outgoing.sent);
  }

  #pinged(sent: Sent): void {
    this.#options.rights?.answered(sent, 0, false);
    this.#settle(sent);
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
