// One application message on its way through the broker, immutable once made.

import type { QoS, TopicName } from '@motte/wire';

export interface Message {
  readonly topic: TopicName;
  /** The topic's UTF-8 bytes. */
  readonly topicBytes: Uint8Array;
  readonly payload: Uint8Array;
  /** The QoS it was published with. */
  readonly qos: QoS;
  /** The RETAIN flag it was published with. */
  readonly retain: boolean;
  /** MQTT 5.0 property block without alias, expiry and subscription identifiers; empty for MQTT 3. */
  readonly properties: Uint8Array;
  /** Wall-clock time in ms after which it is no longer delivered; 0 = never. */
  readonly expiresAtMs: number;
  /** For how long it was given, and since when; undefined = it does not expire. */
  readonly given: Given | undefined;
  /** Key of the session that published it, for No Local [MQTT-3.8.3-3]. */
  readonly publisher: string;
  /** Identity key of the publisher: retained messages outlive the session, rights are asked of the identity. */
  readonly owner: string;
}

/** A Message Expiry Interval as it came, by a clock that nobody sets. */
export interface Given {
  /** The run of the broker to whose monotonic clock the time belongs. */
  readonly run: number;
  /** Whole monotonic ms when it came. */
  readonly atMs: number;
  readonly seconds: number;
}

/** Bytes that a message counts for in a queue: what it carries, not what the engine adds. */
export function sizeOf({ topicBytes, properties, payload }: Message): number {
  return topicBytes.length + properties.length + payload.length;
}
