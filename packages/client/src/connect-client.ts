// From a transport to a connected client: CONNECT, rounds of AUTH if any (4.12), CONNACK or the reason why not.

import type { Connack, Packet, ProtocolVersion } from '@motte/wire';
import { Channel } from './channel.ts';
import { ConnectedClient } from './client.ts';
import { MqttError, reasonName, returnCodeName } from './mqtt-error.ts';
import type { ClientOptions, Closed, MqttClient } from './options.ts';
import { SYSTEM_TIMERS, type Timers } from './timers.ts';

/** The largest packet that MQTT can express: five bytes of fixed header and 268,435,455 more (2.1.4). */
const PACKET_BYTES_MAX = 268_435_460;
const CONNECT_DEADLINE_MS = 10_000;

/** Opens the transport and connects; rejects with MqttError (the server's reason) or the transport's own error. */
export async function connectClient(options: ClientOptions): Promise<MqttClient> {
  const timers = options.timers ?? SYSTEM_TIMERS;
  const transport = await options.transport();
  return new Promise((resolve, reject) => {
    const opening = new Opening(options, timers, resolve, reject);
    const { version = 5, packetBytesMax = PACKET_BYTES_MAX } = options;
    const channel = new Channel(transport, version, packetBytesMax, timers, opening);
    opening.start(channel);
  });
}

/** The connection before CONNACK; afterwards it passes everything on to the client. */
class Opening {
  readonly #options: ClientOptions;
  readonly #timers: Timers;
  readonly #resolve: (client: MqttClient) => void;
  readonly #reject: (error: unknown) => void;
  #channel: Channel | undefined;
  #client: ConnectedClient | undefined;
  #cancelDeadline: () => void = () => undefined;

  constructor(
    options: ClientOptions,
    timers: Timers,
    resolve: (client: MqttClient) => void,
    reject: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#timers = timers;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(channel: Channel): void {
    this.#channel = channel;
    const deadlineMs = this.#options.connectDeadlineMs ?? CONNECT_DEADLINE_MS;
    this.#cancelDeadline = this.#timers.after(deadlineMs, () => {
      const message = `no CONNACK within ${deadlineMs} ms`;
      channel.drop({ reason: 'connect-timeout', code: undefined, byPeer: false, message });
    });
    try {
      channel.send(connectOf(this.#options, channel.version));
    } catch (error) {
      this.#reject(error);
      channel.drop({ reason: 'client-closed', code: undefined, byPeer: false, message: 'CONNECT cannot be encoded' });
    }
  }

  packet(packet: Packet): void {
    if (this.#client) return this.#client.receive(packet);
    if (packet.type === 'connack') return this.#connack(packet);
    if (packet.type === 'auth' && this.#options.authenticate) {
      void this.#authenticate(packet.properties.authenticationData);
      return;
    }
    this.#channel?.reject('protocol-error', `the server sent ${packet.type.toUpperCase()} before CONNACK`);
  }

  drained(): void {
    this.#client?.drained();
  }

  closed(how: Closed): void {
    this.#cancelDeadline();
    this.#client?.ended(how);
    this.#reject(new MqttError(how.reason, how.message, how.code));
  }

  #connack(connack: Connack): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#cancelDeadline();
    if (connack.reasonCode !== 0) {
      const { reasonCode: code } = connack;
      const reason = code >= 0x80 ? reasonName('connack', code) : returnCodeName(code);
      const text = connack.properties.reasonString;
      const message = `the server refused the connection: ${reason}${text === undefined ? '' : `: ${text}`}`;
      return channel.end({ reason, code, byPeer: true, message });
    }
    this.#client = new ConnectedClient(channel, connack, this.#options, this.#timers);
    this.#resolve(this.#client);
  }

  async #authenticate(data: Uint8Array | undefined): Promise<void> {
    const channel = this.#channel;
    const { authenticate, properties } = this.#options;
    if (channel === undefined || authenticate === undefined) return;
    try {
      const answer = await authenticate(data);
      const method = properties?.authenticationMethod ?? '';
      const answered = answer === undefined ? {} : { authenticationData: answer };
      channel.send({ type: 'auth', reasonCode: 0x18, properties: { authenticationMethod: method, ...answered } });
    } catch (error) {
      this.#reject(error);
      channel.drop({ reason: 'client-closed', code: undefined, byPeer: false, message: 'authentication gave up' });
    }
  }
}

function connectOf(options: ClientOptions, version: ProtocolVersion): Packet {
  return {
    type: 'connect',
    version,
    cleanStart: options.cleanStart ?? true,
    keepAlive: options.keepAlive ?? 60,
    clientId: options.clientId ?? '',
    will: options.will,
    userName: options.userName,
    password: options.password,
    properties: options.properties ?? {},
  };
}
