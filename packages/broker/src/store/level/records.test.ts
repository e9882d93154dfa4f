// What is written is read back as it was; any other bytes are refused as damaged, and by nothing else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../ports/message.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import {
  decodeMessage,
  decodeQueued,
  decodeReceived,
  decodeSession,
  decodeSubscription,
  decodeWill,
  encodeMessage,
  encodeQueued,
  encodeReceived,
  encodeSession,
  encodeSubscription,
  encodeWill,
} from './records.ts';
import { decodeTotals, encodeTotals } from './retained-totals.ts';
import { DamagedRecord, seal, unseal } from './seal.ts';

const DECODERS = [
  decodeMessage,
  decodeQueued,
  decodeReceived,
  decodeSession,
  decodeSubscription,
  decodeWill,
  decodeTotals,
];

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const bytes = fc.uint8Array({ maxLength: 300 });
const number = fc.maxSafeNat();
const topic = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });

const message: fc.Arbitrary<Message> = fc
  .record({
    topic,
    payload: bytes,
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    properties: bytes,
    expiresAtMs: number,
    given: fc.option(fc.record({ run: number, atMs: number, seconds: number }), { nil: undefined }),
    publisher: text,
    owner: text,
  })
  .map((fields) => ({ ...fields, topicBytes: new TextEncoder().encode(fields.topic) }) as Message);

describe('records', () => {
  it('any bytes are a record or damaged', () => {
    fc.assert(
      fc.property(fc.constantFrom(...DECODERS), fc.uint8Array({ maxLength: 200 }), (decode, content) => {
        try {
          decode(content);
        } catch (fault) {
          expect(fault).toBeInstanceOf(DamagedRecord);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it('a record with bytes changed, cut off or put behind it is another record or damaged', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.uint8Array({ maxLength: 3 }), (given, at, splice) => {
        const whole = [...encodeMessage(given, true)];
        whole.splice(at % whole.length, 2, ...splice);
        try {
          decodeMessage(Uint8Array.from(whole));
        } catch (fault) {
          expect(fault).toBeInstanceOf(DamagedRecord);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('messages come back whole, in queues and wills without what nobody asks there', () => {
    fc.assert(
      fc.property(message, number, fc.integer({ min: -1, max: 2 ** 32 - 1 }), (given, delaySeconds, expirySeconds) => {
        expect(decodeMessage(encodeMessage(given, true))).toEqual(given);
        expect(decodeMessage(encodeMessage(given, false))).toEqual({ ...given, publisher: '', owner: '' });
        expect(decodeReceived(encodeReceived(given))).toEqual(given);
        const will = { message: given, delaySeconds, expirySeconds };
        expect(decodeWill(encodeWill(will))).toEqual(will);
      }),
    );
    expect(decodeReceived(encodeReceived(undefined))).toBeUndefined();
  });

  it('copies in queues come back with their message, with the number of its body, or released', () => {
    const copy = fc.record({
      seq: number,
      message: fc.option(message, { nil: undefined }),
      qos: fc.constantFrom(1 as const, 2 as const),
      retain: fc.boolean(),
      subscriptionIds: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 5 }),
      share: text,
      queuedAtMs: number,
    });
    fc.assert(
      fc.property(copy, fc.nat({ max: 2 ** 31 }), (given, body) => {
        const head = decodeQueued(encodeQueued(given, body));
        const { qos, retain, subscriptionIds, share } = given;
        expect(head).toMatchObject({ qos, retain, subscriptionIds, share });
        if (given.message === undefined) expect(head).toMatchObject({ body: 0, bytes: 0, message: undefined });
        else if (body > 0) expect(head).toMatchObject({ body, message: undefined });
        else expect(head.message?.payload).toEqual(given.message.payload);
      }),
    );
  });

  it('sessions, subscriptions and totals come back', () => {
    const session = fc.record({
      key: text,
      realm: text,
      name: text,
      clientId: text,
      generation: number,
      expirySeconds: fc.nat({ max: 0xffff_ffff }),
      endedAtMs: number,
      sentSeq: number,
      unsureSeq: number,
      listener: text,
      address: text,
    });
    const roles = fc.record({ roles: fc.array(text), kind: fc.constantFrom('device' as const, 'user' as const) });
    const certificate = fc.record({ certificate: fc.record({ issuer: text, serial: text }) });
    fc.assert(
      fc.property(session, roles, certificate, (plain, known, proof) => {
        for (const given of [plain, { ...plain, ...known }, { ...plain, ...proof }, { ...plain, ...known, ...proof }])
          expect(decodeSession(encodeSession(given))).toEqual(given);
      }),
    );
    const subscription = fc.record({
      filter: text,
      qos: fc.constantFrom(0, 1, 2),
      noLocal: fc.boolean(),
      retainAsPublished: fc.boolean(),
      retainHandling: fc.constantFrom(0, 1, 2),
      subscriptionIdentifier: fc.nat({ max: 268_435_455 }),
    });
    fc.assert(
      fc.property(subscription, (given) => {
        expect(decodeSubscription(encodeSubscription(given as never))).toEqual(given);
      }),
    );
    fc.assert(
      fc.property(number, number, (messages, size) => {
        expect(decodeTotals(encodeTotals({ messages, bytes: size }))).toEqual({ messages, bytes: size });
      }),
    );
  });

  it('numbers, bytes and texts of any size come back, a number beyond 2^53 is damage', () => {
    fc.assert(
      fc.property(number, fc.uint8Array({ maxLength: 2_000 }), text, (value, some, words) => {
        const reader = new ByteReader(new ByteWriter().number(value).bytes(some).text(words).take());
        expect([reader.number(), reader.bytes(), reader.text()]).toEqual([value, some, words]);
        reader.end();
      }),
    );
    expect(() => new ByteReader(new Uint8Array(8).fill(0xff)).number()).toThrow(DamagedRecord);
    expect(() => new ByteReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)).number()).toThrow(
      DamagedRecord,
    );
  });
});

describe('a seal', () => {
  it('gives back what was sealed', () => {
    fc.assert(
      fc.property(bytes, bytes, (key, content) => {
        expect(unseal(key, seal(key, content))).toEqual(content);
      }),
    );
  });

  it('notices every single bit that was flipped, in the value and in the key', () => {
    const key = new TextEncoder().encode('Rplant\0pump');
    const value = seal(key, new TextEncoder().encode('running, at 1,450 revolutions'));
    for (const [part, other] of [[value, key] as const, [key, value] as const]) {
      for (let bit = 0; bit < part.length * 8; bit++) {
        const flipped = part.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(() => (part === value ? unseal(other, flipped) : unseal(flipped, other))).toThrow(DamagedRecord);
      }
    }
  });

  it('notices every length it was cut to, and any bytes in its place', () => {
    const key = Uint8Array.of(1, 2, 3);
    const value = seal(key, new Uint8Array(40).fill(7));
    for (let length = 0; length < value.length; length++) {
      expect(() => unseal(key, value.subarray(0, length))).toThrow(DamagedRecord);
    }
    fc.assert(
      fc.property(bytes, (some) => {
        expect(() => unseal(key, some)).toThrow(DamagedRecord);
      }),
    );
  });
});
