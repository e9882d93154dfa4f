// The shipped codec against its slow twin: equal packets, or the same reason for refusing.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AckView,
  decode,
  encode,
  PACKET_TYPES,
  type Packet,
  PeerError,
  PROPERTIES,
  type ProtocolVersion,
  type Publish,
  PublishView,
  REASONS,
  readAck,
  readPublish,
  TopicCache,
} from '../index.ts';
import { versionedPackets } from '../testing/packet-arbitraries.ts';
import { plain } from '../testing/plain.ts';
import { Refusal, twinDecode } from './decode.ts';
import { TWIN_CODES, TWIN_PROPERTIES } from './tables.ts';

const RUNS = 2000;

test('the property table says what Table 2-4 says', () => {
  const ours = Object.entries(PROPERTIES).map(
    ([name, row]) => `${row.id} ${name} ${row.type} ${[...row.packets].sort()}`,
  );
  const theirs = TWIN_PROPERTIES.map((row) => `${row.id} ${row.name} ${row.type} ${[...row.packets].sort()}`);
  expect(ours).toEqual(theirs);
});

test('the reason table says what the packets list', () => {
  for (const [packet, codes] of Object.entries(TWIN_CODES)) {
    const rows = Object.values(REASONS).filter((row) => (row.packets as readonly string[]).includes(packet));
    expect(
      rows.map((row) => row.code).sort((a, b) => a - b),
      packet,
    ).toEqual(codes);
  }
});

test('any packet: encode and decode are inverse, and the twin reads the same', () => {
  fc.assert(
    fc.property(versionedPackets(), ({ version, packet }) => {
      const frame = encode(packet, version);
      const decoded = decode(frame, version);
      expect(plain(decoded)).toEqual(packet);
      expect(plain(twinDecode(frame, version))).toEqual(packet);
      expect(plain(decode(new Uint8Array(frame), version))).toEqual(packet);
      expect([...encode(decoded, version)]).toEqual([...frame]);
    }),
    { numRuns: RUNS },
  );
});

test('any packet with some bytes changed: both read the same, or refuse for the same reason', () => {
  fc.assert(
    fc.property(versionedPackets(), mutations(), readers, ({ version, packet }, mutate, reader) => {
      const frame = mutate(encode(packet, version));
      agree(frame, reader ?? version);
    }),
    { numRuns: RUNS * 3 },
  );
});

test('any bytes behind any first byte: both read the same, or refuse for the same reason', () => {
  const interesting = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 3, 4, 5, 0x0b, 0x1f, 0x23, 0x26, 0x80, 0xff));
  fc.assert(
    fc.property(fc.nat(255), fc.array(interesting, { maxLength: 24 }), versions, (first, body, version) => {
      agree(Uint8Array.from([first, body.length, ...body]), version);
    }),
    { numRuns: RUNS * 3 },
  );
});

const versions = fc.constantFrom<ProtocolVersion>(3, 4, 5);
/** Now and then the bytes are read as another version than they were written for. */
const readers = fc.option(versions, { freq: 3 });

function mutations(): fc.Arbitrary<(frame: Uint8Array) => Uint8Array> {
  const value = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));
  const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), kind: fc.nat(3), value });
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => (frame) => {
    let bytes = [...frame];
    for (const { at, kind, value: byte } of edits) {
      const place = Math.floor(at * bytes.length);
      if (kind === 0) bytes[place] = byte;
      else if (kind === 1) bytes.splice(place, 1);
      else if (kind === 2) bytes.splice(place, 0, byte);
      else bytes = bytes.slice(0, place);
    }
    // Most of the time the length fits again, or nothing but the length would ever be tested.
    return bytes.length >= 2 && bytes.length < 130
      ? Uint8Array.from([bytes[0] ?? 0, bytes.length - 2, ...bytes.slice(2)])
      : Uint8Array.from(bytes);
  });
}

function agree(frame: Uint8Array, version: ProtocolVersion): void {
  const fast = outcome(() => decode(frame, version));
  const slow = outcome(() => twinDecode(frame, version));
  expect(fast).toEqual(slow);
  if (typeof fast !== 'string') expect(plain(decode(encode(fast as Packet, version), version))).toEqual(fast);
  agreeOnViews(frame, version, fast);
}

/** The readers without objects say what `decode` says. */
function agreeOnViews(frame: Uint8Array, version: ProtocolVersion, decoded: unknown): void {
  // Of one byte: 0x80 is 128 as a number, and the first of two as a Remaining Length.
  const headerIsWhole = frame.length >= 2 && (frame[1] as number) < 0x80 && frame[1] === frame.length - 2;
  if (!headerIsWhole) return;
  const type = (frame[0] as number) >> 4;
  const isAck = type >= PACKET_TYPES.puback && type <= PACKET_TYPES.pubcomp;
  if (type !== PACKET_TYPES.publish && !isAck) return;
  const read = outcome(() => (isAck ? ackByView(frame, version) : publishByView(frame, version)));
  if (typeof decoded === 'string' || typeof read === 'string') expect(read).toEqual(decoded);
  else if (isAck) expect(decoded).toMatchObject(read as object);
  else expect(read).toEqual(asSeenByView(decoded as Publish));
}

function ackByView(frame: Uint8Array, version: ProtocolVersion): unknown {
  const view = new AckView();
  readAck(frame, 0, 2, frame.length, version, view);
  return { ...view };
}

function publishByView(frame: Uint8Array, version: ProtocolVersion): unknown {
  const view = new PublishView();
  readPublish(frame, 0, 2, frame.length, version, view);
  const { topicStart, topicEnd, qos, retain, dup, packetId, topicAlias, messageExpiry, payloadFormat } = view;
  return {
    topic: topicStart === topicEnd ? '' : new TopicCache(4).parse(frame, topicStart, topicEnd),
    ...{ qos, retain, dup, packetId, topicAlias, messageExpiry, payloadFormat },
    subscriptionIdentifiers: view.subscriptionIdentifiers,
    payload: frame.slice(view.payloadStart, view.payloadEnd),
  };
}

function asSeenByView({ topic, qos, retain, dup, packetId, payload, properties }: Publish): unknown {
  return {
    ...{ topic, qos, retain, dup, packetId, payload },
    topicAlias: properties.topicAlias ?? 0,
    messageExpiry: properties.messageExpiryInterval ?? -1,
    payloadFormat: properties.payloadFormatIndicator ?? 0,
    subscriptionIdentifiers: properties.subscriptionIdentifier?.length ?? 0,
  };
}

/** The packet, or the reason as text; any other exception is a bug and goes on. */
function outcome(read: () => unknown): unknown {
  try {
    return plain(read());
  } catch (error) {
    if (error instanceof PeerError || error instanceof Refusal) return error.reason;
    throw error;
  }
}
