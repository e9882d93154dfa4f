// The client after CONNACK: hands each packet to whom it concerns and keeps the promises of the public interface.

import {
  type Connack,
  type Packet,
  type Properties,
  type ProtocolVersion,
  reasonOf,
  type SubscriptionRequest,
} from '@motte/wire';
import type { Channel } from './channel.ts';
import { Incoming } from './incoming.ts';
import { KeepAlive } from './keep-alive.ts';
import { MqttError, reasonName } from './mqtt-error.ts';
import type {
  ClientOptions,
  Closed,
  IncomingMessage,
  MqttClient,
  PublishOptions,
  PublishResult,
  Subscription,
} from './options.ts';
import { Outgoing } from './outgoing.ts';
import { PacketIds } from './packet-ids.ts';
import type { Timers } from './timers.ts';

interface Request {
  resolve(codes: readonly number[]): void;
  reject(error: MqttError): void;
}

interface Ping {
  resolve(): void;
  reject(error: MqttError): void;
}

const QUEUE_MESSAGES_MAX = 1000;
const RECEIVE_MAXIMUM_DEFAULT = 65_535;

const encoder = new TextEncoder();

export class ConnectedClient implements MqttClient {
  readonly version: ProtocolVersion;
  readonly clientId: string;
  readonly connack: Connack;
  readonly closed: Promise<Closed>;
  readonly #channel: Channel;
  readonly #packetIds = new PacketIds();
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #requests = new Map<number, Request>();
  readonly #pings: Ping[] = [];
  readonly #keepAlive: KeepAlive | undefined;
  #resolveClosed: (how: Closed) => void = () => undefined;
  #over: MqttError | undefined;

  constructor(channel: Channel, connack: Connack, options: ClientOptions, timers: Timers) {
    const granted = connack.properties;
    this.version = channel.version;
    this.clientId = granted.assignedClientIdentifier ?? options.clientId ?? '';
    this.connack = connack;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#channel = channel;
    this.#outgoing = new Outgoing(channel, this.#packetIds, options.queueMessagesMax ?? QUEUE_MESSAGES_MAX, {
      receiveMaximum: granted.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT,
      packetBytesMax: granted.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    });
    this.#incoming = new Incoming(
      channel,
      options.acknowledge !== 'manual',
      options.properties?.topicAliasMaximum ?? 0,
    );
    if (options.onMessage) this.#incoming.add(options.onMessage);
    const seconds = granted.serverKeepAlive ?? options.keepAlive ?? 60;
    if (seconds > 0) this.#keepAlive = this.#keepAliveOf(seconds, timers);
  }

  publish(topic: string, payload: Uint8Array | string, options: PublishOptions = {}): Promise<PublishResult> {
    if (this.#over) return Promise.reject(this.#over);
    const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload;
    return this.#outgoing.publish(topic, bytes, options);
  }

  subscribe(
    wanted: string | readonly (string | Subscription)[],
    properties: Properties<'subscribe'> = {},
  ): Promise<readonly number[]> {
    const subscriptions = (typeof wanted === 'string' ? [wanted] : wanted).map(requestOf);
    return this.#request((packetId) => {
      this.#channel.send({ type: 'subscribe', packetId, subscriptions, properties });
    });
  }

  unsubscribe(wanted: string | readonly string[]): Promise<readonly number[]> {
    const filters = typeof wanted === 'string' ? [wanted] : wanted;
    return this.#request((packetId) => {
      this.#channel.send({ type: 'unsubscribe', packetId, filters, properties: {} });
    });
  }

  onMessage(handler: (message: IncomingMessage) => void): () => void {
    return this.#incoming.add(handler);
  }

  ping(): Promise<void> {
    if (this.#over) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      this.#pings.push({ resolve, reject });
      this.#channel.send({ type: 'pingreq' });
    });
  }

  async disconnect(code = 0, properties: Properties<'disconnect'> = {}): Promise<void> {
    if (this.#over === undefined) {
      this.#channel.send({ type: 'disconnect', reasonCode: code, properties });
      const reason = reasonOf('disconnect', code) ?? 'normal-disconnection';
      this.#channel.end({ reason, code: undefined, byPeer: false, message: 'we disconnected' });
    }
    await this.closed;
  }

  destroy(): void {
    this.#channel.drop({
      reason: 'client-closed',
      code: undefined,
      byPeer: false,
      message: 'we dropped the connection',
    });
  }

  /** Called with every packet after CONNACK. */
  receive(packet: Packet): void {
    switch (packet.type) {
      case 'publish':
        return this.#incoming.publish(packet);
      case 'pubrel':
        return this.#incoming.release(packet.packetId);
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        return this.#outgoing.acknowledge(packet);
      case 'suback':
        return this.#answer(packet.packetId, packet.reasonCodes, 'suback');
      case 'unsuback':
        return this.#answer(packet.packetId, packet.reasonCodes, 'unsuback');
      case 'pingresp':
        this.#keepAlive?.answered();
        return this.#pings.shift()?.resolve();
      case 'disconnect':
        return this.#disconnected(packet.reasonCode, packet.properties.reasonString);
      default:
        return this.#channel.reject('protocol-error', `the server sent ${packet.type.toUpperCase()}, which it may not`);
    }
  }

  /** Called when the transport can take more. */
  drained(): void {
    this.#outgoing.flush();
  }

  /** Called once, when the connection is gone: everything still owed fails with the same reason. */
  ended(how: Closed): void {
    this.#keepAlive?.stop();
    const error = new MqttError(how.reason, how.message, how.code);
    this.#over = error;
    this.#outgoing.fail(error);
    for (const request of this.#requests.values()) request.reject(error);
    this.#requests.clear();
    for (const ping of this.#pings.splice(0)) ping.reject(error);
    this.#resolveClosed(how);
  }

  #keepAliveOf(seconds: number, timers: Timers): KeepAlive {
    const keepAlive = new KeepAlive(
      seconds,
      timers,
      () => this.#channel.send({ type: 'pingreq' }),
      () => {
        const message = `the server did not answer PINGREQ within ${seconds} s`;
        this.#channel.drop({ reason: 'keep-alive-timeout', code: undefined, byPeer: false, message });
      },
    );
    this.#channel.written = () => keepAlive.written();
    return keepAlive;
  }

  #request(send: (packetId: number) => void): Promise<readonly number[]> {
    if (this.#over) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      const packetId = this.#packetIds.take();
      try {
        send(packetId);
        this.#requests.set(packetId, { resolve, reject });
      } catch (error) {
        this.#packetIds.free(packetId);
        reject(error);
      }
    });
  }

  #answer(packetId: number, codes: readonly number[], type: 'suback' | 'unsuback'): void {
    const request = this.#requests.get(packetId);
    if (request === undefined) return;
    this.#requests.delete(packetId);
    this.#packetIds.free(packetId);
    const refused = codes.find((code) => code >= 0x80);
    if (refused === undefined) return request.resolve(codes);
    // 0x80 is all that MQTT 3.1.1 knows; its name is the same in MQTT 5.0.
    const reason = reasonName(type, refused);
    request.reject(new MqttError(reason, `the server refused: ${reason}`, refused, codes));
  }

  #disconnected(code: number, text: string | undefined): void {
    const reason = reasonName('disconnect', code);
    const message = `the server disconnected: ${reason}${text === undefined ? '' : `: ${text}`}`;
    this.#channel.end({ reason, code, byPeer: true, message });
  }
}

function requestOf(wanted: string | Subscription): SubscriptionRequest {
  const given = typeof wanted === 'string' ? { filter: wanted } : wanted;
  return { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, ...given };
}
