// Topic aliases of one connection (3.3.2.3.4): those the client set, and those the broker gave to send fewer bytes.

import { copyOf, PeerError, type TopicName } from '@motte/wire';

/** Aliases that the client set: number -> topic and its bytes. */
export class IncomingAliases {
  private readonly topics = new Map<number, { readonly topic: TopicName; readonly bytes: Uint8Array }>();
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  /** Sets or replaces an alias; throws PeerError above the Topic Alias Maximum [MQTT-3.3.2-9]. */
  set(alias: number, topic: TopicName, bytes: Uint8Array): void {
    if (alias > this.max)
      throw new PeerError('topic-alias-invalid', 'MQTT-3.3.2-9', `topic alias ${alias} is above ${this.max}`);
    this.topics.set(alias, { topic, bytes: copyOf(bytes) });
  }

  /** The topic behind an alias; throws PeerError if it was never set on this connection (3.3.2.3.4). */
  resolve(alias: number): { readonly topic: TopicName; readonly bytes: Uint8Array } {
    if (alias > this.max)
      throw new PeerError('topic-alias-invalid', 'MQTT-3.3.2-9', `topic alias ${alias} is above ${this.max}`);
    const known = this.topics.get(alias);
    if (known === undefined)
      throw new PeerError('protocol-error', '3.3.2.3.4', `topic alias ${alias} was not set on this connection`);
    return known;
  }
}

/** Aliases that the broker gave, with the first message of a topic while numbers are free (3.3.2.3.4). */
export class OutgoingAliases {
  private readonly numbers = new Map<TopicName, number>();
  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  /** The alias that the client already knows for this topic; 0 = none. */
  known(topic: TopicName): number {
    return this.numbers.get(topic) ?? 0;
  }

  get hasFree(): boolean {
    return this.numbers.size < this.max;
  }

  /** Gives the topic a number if one is free; 0 = none is. */
  give(topic: TopicName): number {
    if (!this.hasFree) return 0;
    const number = this.numbers.size + 1;
    this.numbers.set(topic, number);
    return number;
  }
}
