// One message on its way from a publisher to its targets. Owns the encoded templates (one per version, QoS, retain, alias
// use and subscription identifiers) and the copy that queues and in-flight may keep.

import { type ProtocolVersion, type PublishTemplate, publishTemplate, type QoS, type TopicName } from '@motte/wire';
import { type Given, type Message, sizeOf } from '../ports/message.ts';
import { givenNow, leftMs, type Now } from './expiry.ts';
import { type AliasMode, type Frame, SLOTS, slotOf } from './frame.ts';

/** Who published what; the rest is bytes. */
export type Origin = Pick<Message, 'topic' | 'qos' | 'retain' | 'publisher' | 'owner'>;

const NO_IDS: readonly number[] = [];

export class Passage {
  readonly topic: TopicName;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly publisher: string;
  readonly owner: string;
  /** Seconds left when this passage began; -1 = does not expire. */
  readonly messageExpiry: number;
  private readonly nowMs: number;
  private readonly given: Given | undefined;
  private readonly frame: Frame | undefined;
  private kept: Message | undefined;
  private templates: (PublishTemplate | undefined)[] | undefined = undefined;

  private constructor(
    from: Origin,
    messageExpiry: number,
    nowMs: number,
    given: Given | undefined,
    frame: Frame | undefined,
    kept: Message | undefined,
  ) {
    this.topic = from.topic;
    this.qos = from.qos;
    this.retain = from.retain;
    this.publisher = from.publisher;
    this.owner = from.owner;
    this.messageExpiry = messageExpiry;
    this.nowMs = nowMs;
    this.given = given;
    this.frame = frame;
    this.kept = kept;
  }

  /** A message as it was just received; nothing is copied until somebody has to keep it. */
  static ofFrame(frame: Frame, from: Origin, messageExpiry: number, now: Now): Passage {
    const given = messageExpiry < 0 ? undefined : givenNow(now, messageExpiry);
    return new Passage(from, messageExpiry, now.nowMs, given, frame, undefined);
  }

  /** A message that was kept before: from a queue, the retained store, a will, or the broker itself. */
  static ofMessage(message: Message, now: Now): Passage {
    const left = message.expiresAtMs === 0 ? -1 : Math.max(0, Math.ceil(leftMs(message, now) / 1000));
    return new Passage(message, left, now.nowMs, message.given, undefined, message);
  }

  /** The same message for a later turn, with bytes of its own: what QoS 2 holds until PUBREL. */
  keep(): Passage {
    const { messageExpiry, nowMs, given, frame } = this;
    if (frame === undefined) return this;
    return new Passage(this, messageExpiry, nowMs, given, frame.copy(), undefined);
  }

  /** The passage to route now: what is left of the expiry interval may have shrunk since it was kept. */
  resume(now: Now): Passage {
    return this.messageExpiry < 0 ? this : Passage.ofMessage(this.message(), now);
  }

  get payload(): Uint8Array {
    return this.frame === undefined ? (this.kept as Message).payload : this.frame.payload;
  }

  /** Bytes it counts for in a queue. */
  get size(): number {
    return this.frame === undefined ? sizeOf(this.kept as Message) : this.frame.size;
  }

  /** The message with bytes of its own, made once however many keep it. */
  message(): Message {
    this.kept ??= this.copy(this.frame as Frame);
    return this.kept;
  }

  /** The encoded PUBLISH for one kind of target, made once per kind. */
  template(
    version: ProtocolVersion,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    aliasMode: AliasMode,
    subscriptionIds: readonly number[],
  ): PublishTemplate {
    if (version === 5 && subscriptionIds.length > 0) {
      // Sets of identifiers rarely repeat within one message: not worth a cache.
      return this.encode(version, qos, retain, dup, aliasMode, subscriptionIds);
    }
    const slot = slotOf(version, qos, retain, dup, aliasMode);
    const { frame } = this;
    if (frame !== undefined && slot === frame.slot) return frame.template;
    this.templates ??= new Array<PublishTemplate | undefined>(SLOTS).fill(undefined);
    let made = this.templates[slot];
    if (made === undefined) {
      made = this.encode(version, qos, retain, dup, aliasMode, NO_IDS);
      this.templates[slot] = made;
    }
    return made;
  }

  private encode(
    version: ProtocolVersion,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    aliasMode: AliasMode,
    subscriptionIds: readonly number[],
  ): PublishTemplate {
    const { topic, properties, payload } = this.frame ?? partsOf(this.kept as Message);
    const message = { topic, payload, properties, messageExpiry: this.messageExpiry };
    return publishTemplate(message, { version, qos, retain, dup, aliasMode, subscriptionIds });
  }

  private copy({ topic, properties, payload }: Frame): Message {
    const propertiesAt = topic.length;
    const payloadAt = propertiesAt + properties.length;
    const bytes = new Uint8Array(payloadAt + payload.length);
    bytes.set(topic, 0);
    bytes.set(properties, propertiesAt);
    bytes.set(payload, payloadAt);
    return {
      topic: this.topic,
      topicBytes: bytes.subarray(0, propertiesAt),
      payload: bytes.subarray(payloadAt),
      qos: this.qos,
      retain: this.retain,
      properties: bytes.subarray(propertiesAt, payloadAt),
      expiresAtMs: this.messageExpiry < 0 ? 0 : this.nowMs + this.messageExpiry * 1000,
      given: this.given,
      publisher: this.publisher,
      owner: this.owner,
    };
  }
}

/** What a message is made of, as templates take it. */
function partsOf(message: Message): { topic: Uint8Array; properties: Uint8Array; payload: Uint8Array } {
  return { topic: message.topicBytes, properties: message.properties, payload: message.payload };
}
