import { describe, expect, it } from 'vitest';
import { InFlight, packetIdOf } from './in-flight.ts';

describe('InFlight', () => {
  it('[MQTT-2.2.1-3] derives packet identifiers from 1 to 65,535 and never 0', () => {
    expect(packetIdOf(1)).toBe(1);
    expect(packetIdOf(65_535)).toBe(65_535);
    expect(packetIdOf(65_536)).toBe(1);
  });

  it('[MQTT-2.2.1-4] skips identifiers that are in use', () => {
    const sent = new InFlight();
    sent.await(1, 'puback');
    sent.await(2, 'pubrec');
    expect(sent.nextSeq(65_535)).toBe(65_538);
    sent.remove(2);
    expect(sent.nextSeq(65_535)).toBe(65_537);
  });

  it('does not look for ever when all 65,535 are in use', () => {
    const sent = new InFlight();
    for (let packetId = 1; packetId <= 65_535; packetId++) sent.await(packetId, 'puback');
    expect(sent.nextSeq(65_535)).toBe(65_536);
  });

  it('remembers the position of a stored message through its release', () => {
    const sent = new InFlight();
    sent.awaitEntry(9, { state: 'pubrec', seq: 9, ticket: 4, bytes: 12, shared: undefined });
    sent.awaitPubcomp(9, sent.get(9) as never);
    expect(sent.get(9)).toEqual({ state: 'pubcomp', seq: 9, ticket: 4, bytes: 0, shared: undefined });
  });
});
