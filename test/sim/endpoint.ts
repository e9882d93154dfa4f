// A client's end of its connections, as far as messages that come to it go: takes the bytes apart, resolves aliases, takes each
// QoS 2 message once and owes the acknowledgements. What the broker may not do there is thrown; what comes of the messages is
// its owner's.

import { decode, encode, FrameReader, type Packet, type Publish } from '@motte/wire';

/** A connection as its client has it. */
export interface Wire {
  send(bytes: Uint8Array): void;
  /** Ends it without a word. */
  cut(): void;
  /** Reads nothing of it, or goes on. */
  hold?(isHeld: boolean): void;
}

export interface EndpointOwner {
  readonly id: string;
  readonly version: 4 | 5;
  /** A message that the client had not finished with before, by its topic. */
  arrived(message: Publish): void;
  /** CONNACK with success. */
  accepted(sessionPresent: boolean): void;
  /** The broker says why it ends the connection. */
  dismissed?(reasonCode: number): void;
  /** Any packet that belongs neither to the delivery of messages nor to the connection. */
  received(packet: Packet): void;
}

/** What the client told the broker in CONNECT. */
export interface EndpointLimits {
  readonly receiveMaximum: number;
  readonly topicAliasMaximum: number;
}

export class Endpoint {
  readonly #owner: EndpointOwner;
  #wire: Wire | undefined = undefined;
  #reader = new FrameReader(1024 * 1024);
  #limits: EndpointLimits = { receiveMaximum: 0xffff, topicAliasMaximum: 0 };
  /** QoS 2 messages that were taken and not released; outlives connections. */
  readonly #taken = new Set<number>();
  /** Packet identifiers of messages that came on this connection and were not acknowledged to their end. */
  readonly #open = new Set<number>();
  readonly #aliases = new Map<number, string>();
  /** Acknowledgements that were not sent yet, in the order in which they are due. */
  readonly #due: Packet[] = [];

  constructor(owner: EndpointOwner) {
    this.#owner = owner;
  }

  get isOnline(): boolean {
    return this.#wire !== undefined;
  }

  /** Nothing that came is unfinished. */
  get isDone(): boolean {
    return this.#due.length === 0 && this.#taken.size === 0;
  }

  get state(): string {
    return `${this.#taken.size} received, ${this.#due.length} to acknowledge`;
  }

  /** Begins a connection; an older one may still live. Before MQTT 5.0 the broker cannot be told any limits. */
  begin(wire: Wire, limits: EndpointLimits): void {
    this.#wire = wire;
    this.#reader = new FrameReader(1024 * 1024);
    this.#limits = this.#owner.version === 5 ? limits : { receiveMaximum: 0xffff, topicAliasMaximum: 0 };
    this.#due.length = 0;
    this.#open.clear();
    this.#aliases.clear();
  }

  /** The session that it was part of is gone. */
  forget(): void {
    this.#taken.clear();
  }

  /** True if it was this connection that ended. */
  lost(wire: Wire): boolean {
    if (this.#wire !== wire) return false;
    this.#wire = undefined;
    return true;
  }

  cut(): void {
    this.#wire?.cut();
  }

  hold(isHeld: boolean): void {
    this.#wire?.hold?.(isHeld);
  }

  send(packet: Packet): void {
    this.#wire?.send(encode(packet, this.#owner.version));
  }

  /** Sends one acknowledgement that is due. */
  acknowledge(): void {
    const packet = this.#due.shift();
    if (packet === undefined) return;
    if (packet.type === 'puback' || packet.type === 'pubcomp') this.#open.delete(packet.packetId);
    this.send(packet);
  }

  /** What the broker sent has arrived. */
  take(wire: Wire, bytes: Uint8Array): void {
    if (this.#wire !== wire) return;
    const reader = this.#reader;
    reader.push(bytes.slice());
    while (reader.next()) this.#take(decode(reader.buffer.slice(reader.start, reader.end), this.#owner.version));
  }

  #take(packet: Packet): void {
    switch (packet.type) {
      case 'publish':
        this.#publish({ ...packet, topic: this.#topicOf(packet) });
        break;
      case 'pubrel':
        this.#taken.delete(packet.packetId);
        this.#due.push({ type: 'pubcomp', packetId: packet.packetId, reasonCode: 0, properties: {} });
        break;
      case 'connack':
        if (packet.reasonCode === 0) this.#owner.accepted(packet.sessionPresent);
        else this.cut();
        break;
      case 'disconnect':
        this.#owner.dismissed?.(packet.reasonCode);
        break;
      default:
        this.#owner.received(packet);
    }
  }

  #publish(message: Publish): void {
    const { packetId, qos } = message;
    if (qos === 0) {
      this.#owner.arrived(message);
      return;
    }
    const { id } = this.#owner;
    if (this.#open.has(packetId)) throw new Error(`[MQTT-2.2.1-4] ${id} got identifier ${packetId} while it is in use`);
    this.#open.add(packetId);
    if (this.#open.size > this.#limits.receiveMaximum) {
      throw new Error(`[MQTT-3.3.4-9] ${id} got ${this.#open.size} messages of ${this.#limits.receiveMaximum} at once`);
    }
    if (qos === 1 || !this.#taken.has(packetId)) this.#owner.arrived(message);
    if (qos === 2) this.#taken.add(packetId);
    this.#due.push({ type: qos === 1 ? 'puback' : 'pubrec', packetId, reasonCode: 0, properties: {} });
  }

  #topicOf({ topic, properties: { topicAlias } }: Publish): string {
    if (topicAlias === undefined) return topic;
    const { id } = this.#owner;
    if (topicAlias > this.#limits.topicAliasMaximum) throw new Error(`[MQTT-3.1.2-26] ${id} got alias ${topicAlias}`);
    if (topic !== '') this.#aliases.set(topicAlias, topic);
    const known = this.#aliases.get(topicAlias);
    if (known === undefined) throw new Error(`[MQTT-3.3.2-7] ${id} got alias ${topicAlias} before its topic`);
    return known;
  }
}
