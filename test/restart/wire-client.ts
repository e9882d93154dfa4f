// A client over TCP that sends what a test says and acknowledges nothing by itself, for the program in a process of its own. It
// waits for what comes, not for time to pass.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Connect, decode, encode, FrameReader, type Packet, type ProtocolVersion, type QoS } from '@motte/wire';
import type { PacketOf } from '../harness/index.ts';

export class WireClient {
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #version: ProtocolVersion;
  readonly #reader = new FrameReader(1024 * 1024);
  readonly #packets: Packet[] = [];
  #isClosed = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, version: ProtocolVersion) {
    this.#socket = socket;
    this.#version = version;
    socket.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      while (this.#reader.next()) {
        this.#packets.push(decode(this.#reader.buffer.slice(this.#reader.start, this.#reader.end), version));
      }
      this.#wake();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** A client that was accepted, with a session that is kept for an hour (MQTT 5.0) or for ever. */
  static async connect(port: number, clientId: string, version: ProtocolVersion = 5, fields: Partial<Connect> = {}) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new WireClient(socket, version);
    const properties = version === 5 ? { sessionExpiryInterval: 3600 } : {};
    client.send({ type: 'connect', version, clientId, cleanStart: false, keepAlive: 0, properties, ...fields });
    const { reasonCode } = await client.next('connack');
    if (reasonCode !== 0) throw new Error(`${clientId} was refused: ${reasonCode}`);
    return client;
  }

  send(packet: Packet): void {
    if (!this.#socket.destroyed) this.#socket.write(encode(packet, this.#version));
  }

  publish(topic: string, payload: string, qos: QoS, packetId: number): void {
    const bytes = new TextEncoder().encode(payload);
    this.send({ type: 'publish', topic, payload: bytes, qos, retain: false, dup: false, packetId, properties: {} });
  }

  ack(type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', packetId: number): void {
    this.send({ type, packetId, reasonCode: 0, properties: {} });
  }

  async subscribe(filter: string, qos: QoS): Promise<void> {
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 as const };
    this.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter, qos, ...options }], properties: {} });
    await this.next('suback');
  }

  /** The next packet of this type; others before it are passed over. */
  async next<T extends Packet['type']>(type: T): Promise<PacketOf<T>> {
    for (;;) {
      const packet = await this.take();
      if (packet === undefined) throw new Error(`expected ${type}, the connection ended`);
      if (packet.type === type) return packet as PacketOf<T>;
    }
  }

  /** The next packet; undefined once the connection is over and all was taken. */
  async take(): Promise<Packet | undefined> {
    while (this.#packets.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#packets.shift();
  }

  end(): void {
    this.#socket.destroy();
  }
}
