// A received PUBLISH as bytes and offsets: what it is made of is cut out only when somebody needs it, and it can leave as
// it came to targets of its own version family and QoS.

import {
  copyBriefly,
  copyOf,
  forwardableProperties,
  type ProtocolVersion,
  type PublishTemplate,
  type PublishView,
  type QoS,
} from '@motte/wire';

/** 0 = whole topic, 1 = whole topic and a new alias, 2 = alias only. */
export type AliasMode = 0 | 1 | 2;

/** Kinds of templates without subscription identifiers: 2 version families × 3 QoS × retain × dup × 3 alias modes. */
export const SLOTS = 72;

/** The slot of a kind of template. */
export function slotOf(
  version: ProtocolVersion,
  qos: QoS,
  retain: boolean,
  dup: boolean,
  aliasMode: AliasMode,
): number {
  return ((((version === 5 ? 1 : 0) * 3 + qos) * 2 + (retain ? 1 : 0)) * 2 + (dup ? 1 : 0)) * 3 + aliasMode;
}

export class Frame {
  /** The kind of template that the frame is as it stands; -1 = none, it has to be encoded anew. */
  readonly slot: number;
  private readonly buffer: Uint8Array;
  private readonly start: number;
  private readonly end: number;
  private readonly topicStart: number;
  private readonly topicEnd: number;
  private readonly payloadStart: number;
  /** The topic's bytes where the frame has an alias in their place. */
  private readonly aliasedTopic: Uint8Array | undefined;
  /** MQTT 5.0 properties without alias and expiry. */
  readonly properties: Uint8Array;
  private cut: PublishTemplate | undefined = undefined;

  private constructor(
    slot: number,
    buffer: Uint8Array,
    start: number,
    end: number,
    topicStart: number,
    topicEnd: number,
    payloadStart: number,
    aliasedTopic: Uint8Array | undefined,
    properties: Uint8Array,
  ) {
    this.slot = slot;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.topicStart = topicStart;
    this.topicEnd = topicEnd;
    this.payloadStart = payloadStart;
    this.aliasedTopic = aliasedTopic;
    this.properties = properties;
  }

  /** The frame that `view` was just read from, without copying a byte. */
  static of(
    buffer: Uint8Array,
    start: number,
    end: number,
    view: PublishView,
    version: ProtocolVersion,
    aliasedTopic: Uint8Array | undefined,
  ): Frame {
    const { qos, propertiesStart, propertiesEnd } = view;
    const asItCame = !view.retain && !view.dup && view.expiryStart < 0 && view.aliasStart < 0;
    const slot = asItCame ? slotOf(version, qos, false, false, 0) : -1;
    const properties = propertiesEnd > propertiesStart ? forwardableProperties(buffer, view) : NOTHING;
    const { topicStart, topicEnd, payloadStart } = view;
    return new Frame(slot, buffer, start, end, topicStart, topicEnd, payloadStart, aliasedTopic, properties);
  }

  /** The same with bytes of its own. */
  copy(): Frame {
    const { start, end, aliasedTopic, properties } = this;
    return new Frame(
      this.slot,
      copyBriefly(this.buffer, start, end),
      0,
      end - start,
      this.topicStart - start,
      this.topicEnd - start,
      this.payloadStart - start,
      aliasedTopic,
      properties.length === 0 ? NOTHING : copyOf(properties),
    );
  }

  get topic(): Uint8Array {
    return this.aliasedTopic ?? this.buffer.subarray(this.topicStart, this.topicEnd);
  }

  get payload(): Uint8Array {
    return this.buffer.subarray(this.payloadStart, this.end);
  }

  /** Bytes that the message counts for: topic, properties and payload. */
  get size(): number {
    const topicLength = this.aliasedTopic?.length ?? this.topicEnd - this.topicStart;
    return topicLength + this.properties.length + this.end - this.payloadStart;
  }

  /** The frame as a template of the kind `slot`. */
  get template(): PublishTemplate {
    this.cut ??= {
      bytes: this.buffer.subarray(this.start, this.end),
      packetIdAt: ((this.buffer[this.start] as number) & 0x06) === 0 ? -1 : this.topicEnd - this.start,
      aliasAt: -1,
    };
    return this.cut;
  }
}

const NOTHING = new Uint8Array(0);
