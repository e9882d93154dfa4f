// A client that sends exactly what a test says, right or wrong, and shows exactly what came back. Waits in turns of the
// event loop, never in time: what has not come when everything is at rest does not come.

import type { Duplex } from 'node:stream';
import {
  type Connack,
  type Connect,
  decode,
  encode,
  type Packet,
  type Properties,
  type ProtocolVersion,
  type Publish,
  type QoS,
  type Reason,
  reasonCode,
  reasonOf,
  type Suback,
  type SubscriptionRequest,
  type Unsuback,
} from '@motte/wire';
import { settle } from './duplex-pair.ts';

export type PacketOf<T extends Packet['type']> = Extract<Packet, { type: T }>;

type PublishAck = PacketOf<'puback' | 'pubrec' | 'pubcomp'>;

export interface PublishFields {
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly dup?: boolean;
  /** Default: the next unused one. */
  readonly packetId?: number;
  readonly properties?: Properties<'publish'>;
}

export type SubscriptionFields = Pick<SubscriptionRequest, 'filter'> & Partial<SubscriptionRequest>;

export class RawClient {
  readonly version: ProtocolVersion;
  /** What CONNECT was answered with, after `connect`. */
  connack: Connack | undefined = undefined;
  /** True once the broker has ended the connection. */
  closed = false;
  /** Size in bytes of the largest packet that came, for Maximum Packet Size. */
  largestPacket = 0;
  readonly #stream: Duplex;
  readonly #packets: Packet[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #broken: Error | undefined = undefined;
  #lastPacketId = 0;

  constructor(stream: Duplex, version: ProtocolVersion) {
    this.#stream = stream;
    this.version = version;
    stream.on('data', (chunk: Uint8Array) => this.#take(chunk));
    stream.on('error', () => undefined);
    stream.on('end', () => {
      this.closed = true;
      stream.end();
    });
    stream.on('close', () => {
      this.closed = true;
    });
  }

  /** Sends CONNECT and returns the CONNACK, whatever its code. */
  async connect(clientId: string, fields: Partial<Omit<Connect, 'type' | 'version'>> = {}): Promise<Connack> {
    this.send({
      type: 'connect',
      version: this.version,
      clientId,
      cleanStart: true,
      keepAlive: 0,
      properties: {},
      ...fields,
    });
    this.connack = await this.receive('connack');
    return this.connack;
  }

  /** Sends packets in one chunk. */
  send(...packets: readonly Packet[]): void {
    this.#write(Buffer.concat(packets.map((packet) => encode(packet, this.version))));
  }

  /** Sends bytes as they stand: hexadecimal, spaces allowed, or an array. */
  sendBytes(bytes: string | Uint8Array): void {
    this.#write(typeof bytes === 'string' ? bytesOf(bytes) : bytes);
  }

  /** Sends PUBLISH and returns its packet identifier without waiting for anything. */
  publish(topic: string, payload: string | Uint8Array = '', fields: PublishFields = {}): number {
    const packet = this.publication(topic, payload, fields);
    this.send(packet);
    return packet.packetId;
  }

  /** Sends PUBLISH with QoS 1 or 2, goes through its whole exchange, and returns the code of PUBACK or PUBREC. */
  async deliver(topic: string, payload: string | Uint8Array = '', fields: PublishFields = {}): Promise<number> {
    const { qos = 1 } = fields;
    const packetId = this.publish(topic, payload, { ...fields, qos });
    if (qos === 1) return (await this.#receiveAck('puback', packetId)).reasonCode;
    const { reasonCode: code } = await this.#receiveAck('pubrec', packetId);
    if (code >= 0x80) return code;
    this.ack('pubrel', packetId);
    await this.#receiveAck('pubcomp', packetId);
    return code;
  }

  /** The PUBLISH that `publish` would send. */
  publication(topic: string, payload: string | Uint8Array = '', fields: PublishFields = {}): Publish {
    const { qos = 0, retain = false, dup = false, properties = {} } = fields;
    const packetId = qos === 0 ? 0 : (fields.packetId ?? this.nextPacketId());
    const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
    return { type: 'publish', topic, payload: bytes, qos, retain, dup, packetId, properties };
  }

  /** Sends SUBSCRIBE and returns the SUBACK; a string stands for a filter with QoS 2 and no option set. */
  async subscribe(
    wanted: string | SubscriptionFields | readonly (string | SubscriptionFields)[],
    properties: Properties<'subscribe'> = {},
  ): Promise<Suback> {
    this.requestSubscribe(wanted, properties);
    return this.receive('suback');
  }

  /** Sends SUBSCRIBE and returns its packet identifier. */
  requestSubscribe(
    wanted: string | SubscriptionFields | readonly (string | SubscriptionFields)[],
    properties: Properties<'subscribe'> = {},
  ): number {
    const list = Array.isArray(wanted) ? (wanted as (string | SubscriptionFields)[]) : [wanted as string];
    const packetId = this.nextPacketId();
    this.send({ type: 'subscribe', packetId, subscriptions: list.map(requestOf), properties });
    return packetId;
  }

  async unsubscribe(...filters: readonly string[]): Promise<Unsuback> {
    this.send({ type: 'unsubscribe', packetId: this.nextPacketId(), filters, properties: {} });
    return this.receive('unsuback');
  }

  ack(type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', packetId: number, code = 0): void {
    this.send({ type, packetId, reasonCode: code, properties: {} });
  }

  /** PINGREQ and PINGRESP: everything sent before has been worked on. */
  async ping(): Promise<void> {
    this.send({ type: 'pingreq' });
    await this.receive('pingresp');
  }

  /** Sends DISCONNECT and waits until the broker has closed. */
  async disconnect(code = 0, properties: Properties<'disconnect'> = {}): Promise<void> {
    this.send({ type: 'disconnect', reasonCode: code, properties });
    await this.expectClosed();
  }

  /** Drops the connection without a word: to the broker, the network failed. What was sent before has arrived. */
  async cut(): Promise<void> {
    await settle();
    this.#stream.destroy();
    await settle();
  }

  /** Bytes that the broker has not taken yet. */
  get unsentBytes(): number {
    return this.#stream.writableLength;
  }

  /** Stops reading, so that the broker meets back-pressure. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** The next packet; fails if none comes or if it is of another type. */
  async receive<T extends Packet['type']>(type?: T): Promise<PacketOf<T>> {
    if (this.#packets.length === 0) await settle();
    const packet = this.#packets.shift();
    if (packet === undefined) {
      if (this.#broken) throw new Error(`the broker sent what cannot be decoded: ${this.#broken.message}`);
      throw new Error(
        `expected ${type ?? 'a packet'}, nothing came; the connection is ${this.closed ? 'closed' : 'open'}`,
      );
    }
    if (type !== undefined && packet.type !== type) throw new Error(`expected ${type}, got ${show(packet)}`);
    return packet as PacketOf<T>;
  }

  /** Everything that has come and comes until all is at rest. */
  async receiveAll(): Promise<Packet[]> {
    await settle();
    if (this.#broken) throw new Error(`the broker sent what cannot be decoded: ${this.#broken.message}`);
    return this.#packets.splice(0);
  }

  /** The next packet is a PUBLISH with this topic and payload. */
  async expectMessage(topic: string, payload: string): Promise<Publish> {
    const packet = await this.receive('publish');
    const text = new TextDecoder().decode(packet.payload);
    if (packet.topic !== topic || text !== payload) {
      throw new Error(`expected ${topic} "${payload}", got ${packet.topic} "${text}"`);
    }
    return packet;
  }

  /** Takes `count` messages, acknowledges each to its end, and returns their payloads. */
  async takeMessages(count: number): Promise<string[]> {
    const payloads: string[] = [];
    const unreleased = new Set<number>();
    while (payloads.length < count || unreleased.size > 0) {
      const packet = await this.receive();
      if (packet.type === 'pubrel' && unreleased.delete(packet.packetId)) {
        this.ack('pubcomp', packet.packetId);
        continue;
      }
      if (packet.type !== 'publish') throw new Error(`expected publish, got ${show(packet)}`);
      payloads.push(new TextDecoder().decode(packet.payload));
      if (packet.qos === 1) this.ack('puback', packet.packetId);
      if (packet.qos !== 2) continue;
      this.ack('pubrec', packet.packetId);
      unreleased.add(packet.packetId);
    }
    return payloads;
  }

  /** Nothing is waiting, nothing comes, and the connection is open. */
  async expectNothing(): Promise<void> {
    const packets = await this.receiveAll();
    if (packets.length > 0) throw new Error(`expected nothing, got ${packets.map(show).join(', ')}`);
    if (this.closed) throw new Error('expected nothing, the connection was closed');
  }

  /** The broker closes the connection without sending anything more. */
  async expectClosed(): Promise<void> {
    const packets = await this.receiveAll();
    if (packets.length > 0) throw new Error(`expected the end, got ${packets.map(show).join(', ')}`);
    if (!this.closed) throw new Error('expected the end, the connection is open');
  }

  /** MQTT 5: DISCONNECT with one of these reasons, then the end. MQTT 3: just the end. */
  async expectDisconnected(...reasons: readonly Reason[]): Promise<void> {
    if (this.version !== 5) return this.expectClosed();
    const packet = await this.receive('disconnect');
    if (!reasons.some((reason) => reasonCode(reason) === packet.reasonCode)) {
      throw new Error(`expected DISCONNECT ${reasons.join(' or ')}, got ${show(packet)}`);
    }
    return this.expectClosed();
  }

  /** CONNACK with one of these reasons (MQTT 5), then the end. */
  async expectRefused(...reasons: readonly Reason[]): Promise<Connack> {
    const packet = await this.receive('connack');
    if (!reasons.some((reason) => reasonCode(reason) === packet.reasonCode)) {
      throw new Error(`expected CONNACK ${reasons.join(' or ')}, got ${show(packet)}`);
    }
    await this.expectClosed();
    return packet;
  }

  nextPacketId(): number {
    this.#lastPacketId = (this.#lastPacketId % 65_535) + 1;
    return this.#lastPacketId;
  }

  async #receiveAck(type: PublishAck['type'], packetId: number): Promise<PublishAck> {
    const packet = await this.receive(type);
    if (packet.packetId !== packetId)
      throw new Error(`expected ${type} of ${packetId}, got that of ${packet.packetId}`);
    return packet;
  }

  #write(bytes: Uint8Array): void {
    if (!this.#stream.writable) return;
    this.#stream.write(bytes);
  }

  #take(chunk: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    try {
      for (let length = frameLength(this.#bytes); length > 0; length = frameLength(this.#bytes)) {
        const frame = this.#bytes.slice(0, length);
        this.#bytes = this.#bytes.slice(length);
        this.largestPacket = Math.max(this.largestPacket, length);
        this.#packets.push(decode(frame, this.version));
      }
    } catch (error) {
      this.#broken = error as Error;
    }
  }
}

/** Bytes from hexadecimal, where spaces and line breaks do not count. */
export function bytesOf(hex: string): Uint8Array {
  const digits = hex.replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error(`not hexadecimal: ${hex}`);
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

/** Length of the first whole frame, 0 if there is none yet. */
export function frameLength(bytes: Uint8Array): number {
  let length = 0;
  for (let at = 1; at <= 4 && at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte < 0x80) return bytes.length >= at + 1 + length ? at + 1 + length : 0;
  }
  return 0;
}

function requestOf(wanted: string | SubscriptionFields): SubscriptionRequest {
  const given = typeof wanted === 'string' ? { filter: wanted, qos: 2 as const } : wanted;
  return { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, ...given };
}

function show(packet: Packet): string {
  const code = 'reasonCode' in packet ? packet.reasonCode : undefined;
  const name = code === undefined ? '' : ` ${reasonOf(packet.type as 'disconnect', code) ?? code}`;
  const text = packet.type === 'publish' ? ` ${packet.topic} "${new TextDecoder().decode(packet.payload)}"` : '';
  return `${packet.type}${name}${text}`;
}
