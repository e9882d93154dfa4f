// PUBLISH packets from the server (4.3): topic aliases, QoS 2 without duplicates, and acknowledgement when the
// caller is done with a message.

import type { Publish } from '@motte/wire';
import type { Channel } from './channel.ts';
import type { IncomingMessage } from './options.ts';

export class Incoming {
  readonly #channel: Channel;
  readonly #automatic: boolean;
  readonly #topicAliasMaximum: number;
  readonly #aliases = new Map<number, string>();
  /** QoS 2 identifiers between PUBREC and PUBREL; false while the caller still holds the message. */
  readonly #held = new Map<number, boolean>();
  readonly #handlers = new Set<(message: IncomingMessage) => void>();

  constructor(channel: Channel, automatic: boolean, topicAliasMaximum: number) {
    this.#channel = channel;
    this.#automatic = automatic;
    this.#topicAliasMaximum = topicAliasMaximum;
  }

  add(handler: (message: IncomingMessage) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  publish(packet: Publish): void {
    const topic = this.#topicOf(packet);
    if (topic === undefined) {
      this.#channel.reject('topic-alias-invalid', 'the server used a topic alias that it may not use');
      return;
    }
    if (packet.qos === 2) {
      const acknowledged = this.#held.get(packet.packetId);
      if (acknowledged === true) this.#send('pubrec', packet.packetId, 0);
      if (acknowledged !== undefined) return;
      this.#held.set(packet.packetId, false);
    }
    const message = this.#message(packet, topic);
    for (const handler of this.#handlers) handler(message);
    if (this.#automatic) message.ack();
  }

  release(packetId: number): void {
    const known = this.#held.delete(packetId);
    this.#send('pubcomp', packetId, known ? 0 : 0x92);
  }

  #message(packet: Publish, topic: string): IncomingMessage {
    const { qos, packetId, retain, dup, properties } = packet;
    let done = qos === 0;
    const ack = (code = 0): void => {
      if (done) return;
      done = true;
      if (qos === 2 && code >= 0x80) this.#held.delete(packetId);
      else if (qos === 2) this.#held.set(packetId, true);
      this.#send(qos === 1 ? 'puback' : 'pubrec', packetId, code);
    };
    // A copy: the frame's buffer is used again for the next one.
    return { topic, payload: packet.payload.slice(), qos, retain, dup, properties, ack };
  }

  #topicOf(packet: Publish): string | undefined {
    const alias = packet.properties.topicAlias;
    if (alias === undefined) return packet.topic;
    if (alias > this.#topicAliasMaximum) return undefined;
    if (packet.topic !== '') this.#aliases.set(alias, packet.topic);
    return this.#aliases.get(alias);
  }

  #send(type: 'puback' | 'pubrec' | 'pubcomp', packetId: number, reasonCode: number): void {
    const code = this.#channel.version === 5 ? reasonCode : 0;
    this.#channel.send({ type, packetId, reasonCode: code, properties: {} });
  }
}
