// PUBLISH packets on their way out (4.3): the queue, the send quota (4.9) and the acknowledgements still owed.

import { encode, type Packet, type Publish } from '@motte/wire';
import type { Channel } from './channel.ts';
import { MqttError, reasonName } from './mqtt-error.ts';
import type { PublishOptions, PublishResult } from './options.ts';
import type { PacketIds } from './packet-ids.ts';

interface Entry {
  readonly packetId: number;
  readonly qos: 0 | 1 | 2;
  readonly bytes: Uint8Array;
  resolve(result: PublishResult): void;
  reject(error: MqttError): void;
  /** QoS 2 only: PUBREC was seen, PUBCOMP is owed. */
  received: boolean;
}

type PublishAck = Extract<Packet, { type: 'puback' | 'pubrec' | 'pubcomp' }>;

/** What the server allows, from its CONNACK. */
export interface ServerLimits {
  readonly receiveMaximum: number;
  readonly packetBytesMax: number;
}

const SUCCESS: PublishResult = { reason: 'success', code: 0 };

export class Outgoing {
  readonly #channel: Channel;
  readonly #packetIds: PacketIds;
  readonly #queueMessagesMax: number;
  readonly #limits: ServerLimits;
  readonly #queue: Entry[] = [];
  readonly #inFlight = new Map<number, Entry>();

  constructor(channel: Channel, packetIds: PacketIds, queueMessagesMax: number, limits: ServerLimits) {
    this.#channel = channel;
    this.#packetIds = packetIds;
    this.#queueMessagesMax = queueMessagesMax;
    this.#limits = limits;
  }

  publish(topic: string, payload: Uint8Array, options: PublishOptions): Promise<PublishResult> {
    if (this.#queue.length >= this.#queueMessagesMax) {
      return Promise.reject(new MqttError('queue-full', `${this.#queueMessagesMax} messages wait to be sent already`));
    }
    const { qos = 0, retain = false, properties = {} } = options;
    const packetId = qos === 0 ? 0 : this.#packetIds.take();
    const packet: Publish = { type: 'publish', topic, payload, qos, retain, dup: false, packetId, properties };
    let bytes: Uint8Array;
    try {
      bytes = this.#encode(packet);
    } catch (error) {
      this.#packetIds.free(packetId);
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ packetId, qos, bytes, resolve, reject, received: false });
      this.flush();
    });
  }

  /** Sends, in order, what quota and transport allow. */
  flush(): void {
    while (this.#channel.ready) {
      const entry = this.#queue[0];
      if (entry === undefined) return;
      if (entry.qos > 0 && this.#inFlight.size >= this.#limits.receiveMaximum) return;
      this.#queue.shift();
      if (entry.qos > 0) this.#inFlight.set(entry.packetId, entry);
      this.#channel.sendBytes(entry.bytes);
      if (entry.qos === 0) entry.resolve(SUCCESS);
    }
  }

  acknowledge(ack: PublishAck): void {
    const entry = this.#inFlight.get(ack.packetId);
    if (entry === undefined || (entry.qos === 1) !== (ack.type === 'puback')) {
      if (ack.type === 'pubrec') this.#release(ack.packetId, entry === undefined ? 0x92 : 0);
      return;
    }
    if (ack.type === 'pubrec' && ack.reasonCode < 0x80) {
      entry.received = true;
      this.#release(ack.packetId, 0);
      return;
    }
    if (ack.type === 'pubcomp' && !entry.received) return;
    this.#inFlight.delete(ack.packetId);
    this.#packetIds.free(ack.packetId);
    const reason = reasonName(ack.type, ack.reasonCode);
    if (ack.reasonCode < 0x80) entry.resolve({ reason, code: ack.reasonCode });
    else entry.reject(new MqttError(reason, `the server refused the message: ${reason}`, ack.reasonCode));
    this.flush();
  }

  /** Everything still owed fails with `error`. */
  fail(error: MqttError): void {
    for (const entry of [...this.#inFlight.values(), ...this.#queue]) entry.reject(error);
    this.#inFlight.clear();
    this.#queue.length = 0;
  }

  #encode(packet: Publish): Uint8Array {
    const bytes = encode(packet, this.#channel.version);
    const { packetBytesMax } = this.#limits;
    if (bytes.length <= packetBytesMax) return bytes;
    const message = `the packet has ${bytes.length} bytes, the server takes ${packetBytesMax}`;
    throw new MqttError('packet-too-large', message);
  }

  #release(packetId: number, code: number): void {
    const reasonCode = this.#channel.version === 5 ? code : 0;
    this.#channel.send({ type: 'pubrel', packetId, reasonCode, properties: {} });
  }
}
