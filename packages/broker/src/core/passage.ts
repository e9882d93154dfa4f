// One message on its way from a publisher to its targets, for the length of one turn. Owns the encoded templates (one
// per version, QoS, retain, alias use and subscription identifiers) and the copy that queues and in-flight may keep.

import {
  forwardableProperties,
  type ProtocolVersion,
  type PublishTemplate,
  type PublishView,
  publishTemplate,
  type QoS,
  type TopicName,
} from '@motte/wire';
import type { Message } from '../ports/message.ts';

/** 0 = whole topic, 1 = whole topic and a new alias, 2 = alias only. */
export type AliasMode = 0 | 1 | 2;

const NO_IDS: readonly number[] = [];
const NOTHING = new Uint8Array(0);
/** Slots of the templates without subscription identifiers: 2 version families × 3 QoS × retain × dup × 3 alias modes. */
const SLOTS = 72;

export class Passage {
  readonly topic: TopicName;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly publisher: string;
  readonly owner: string;
  /** Seconds left when this passage began; -1 = does not expire. */
  readonly messageExpiry: number;
  readonly payload: Uint8Array;
  private readonly topicBytes: Uint8Array;
  private readonly properties: Uint8Array;
  private readonly nowMs: number;
  private kept: Message | undefined;
  private templates: (PublishTemplate | undefined)[] | undefined;
  /** The received frame, if it can leave as it came to targets of its own version family and QoS. */
  private readonly received: PublishTemplate | undefined;
  private readonly receivedSlot: number;

  private constructor(
    topic: TopicName,
    topicBytes: Uint8Array,
    payload: Uint8Array,
    properties: Uint8Array,
    qos: QoS,
    retain: boolean,
    messageExpiry: number,
    publisher: string,
    owner: string,
    nowMs: number,
    received: PublishTemplate | undefined,
    receivedSlot: number,
    kept: Message | undefined,
  ) {
    this.topic = topic;
    this.topicBytes = topicBytes;
    this.payload = payload;
    this.properties = properties;
    this.qos = qos;
    this.retain = retain;
    this.messageExpiry = messageExpiry;
    this.publisher = publisher;
    this.owner = owner;
    this.nowMs = nowMs;
    this.received = received;
    this.receivedSlot = receivedSlot;
    this.kept = kept;
    this.templates = undefined;
  }

  /** A message as it was just received; nothing is copied until somebody has to keep it. */
  static ofFrame(
    buffer: Uint8Array,
    start: number,
    end: number,
    view: PublishView,
    topic: TopicName,
    topicBytes: Uint8Array | undefined,
    version: ProtocolVersion,
    publisher: string,
    owner: string,
    nowMs: number,
  ): Passage {
    const asItCame =
      !view.retain &&
      !view.dup &&
      view.qos < 2 &&
      view.expiryStart < 0 &&
      view.aliasStart < 0 &&
      topicBytes === undefined;
    const received: PublishTemplate | undefined = asItCame
      ? { bytes: buffer.subarray(start, end), packetIdAt: view.qos === 0 ? -1 : view.topicEnd - start, aliasAt: -1 }
      : undefined;
    return new Passage(
      topic,
      topicBytes ?? buffer.subarray(view.topicStart, view.topicEnd),
      buffer.subarray(view.payloadStart, view.payloadEnd),
      view.propertiesEnd > view.propertiesStart ? forwardableProperties(buffer, view) : NOTHING,
      view.qos,
      view.retain,
      view.messageExpiry,
      publisher,
      owner,
      nowMs,
      received,
      slotOf(version, view.qos, false, false, 0),
      undefined,
    );
  }

  /** A message that was kept before: from a queue, the retained store, a will, or the broker itself. */
  static ofMessage(message: Message, nowMs: number): Passage {
    const left = message.expiresAtMs === 0 ? -1 : Math.max(0, Math.ceil((message.expiresAtMs - nowMs) / 1000));
    return new Passage(
      message.topic,
      message.topicBytes,
      message.payload,
      message.properties,
      message.qos,
      message.retain,
      left,
      message.publisher,
      message.owner,
      nowMs,
      undefined,
      -1,
      message,
    );
  }

  /** The message with bytes of its own, made once however many keep it. */
  message(): Message {
    this.kept ??= this.copy();
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
    if (slot === this.receivedSlot && this.received !== undefined) return this.received;
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
    const message = {
      topic: this.topicBytes,
      payload: this.payload,
      properties: this.properties,
      messageExpiry: this.messageExpiry,
    };
    return publishTemplate(message, { version, qos, retain, dup, aliasMode, subscriptionIds });
  }

  private copy(): Message {
    const bytes = new Uint8Array(this.topicBytes.length + this.properties.length + this.payload.length);
    const payloadAt = this.topicBytes.length + this.properties.length;
    bytes.set(this.topicBytes, 0);
    bytes.set(this.properties, this.topicBytes.length);
    bytes.set(this.payload, payloadAt);
    return {
      topic: this.topic,
      topicBytes: bytes.subarray(0, this.topicBytes.length),
      payload: bytes.subarray(payloadAt),
      qos: this.qos,
      retain: this.retain,
      properties: bytes.subarray(this.topicBytes.length, payloadAt),
      expiresAtMs: this.messageExpiry < 0 ? 0 : this.nowMs + this.messageExpiry * 1000,
      publisher: this.publisher,
      owner: this.owner,
    };
  }
}

function slotOf(version: ProtocolVersion, qos: QoS, retain: boolean, dup: boolean, aliasMode: AliasMode): number {
  return ((((version === 5 ? 1 : 0) * 3 + qos) * 2 + (retain ? 1 : 0)) * 2 + (dup ? 1 : 0)) * 3 + aliasMode;
}
