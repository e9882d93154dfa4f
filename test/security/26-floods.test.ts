// Floods of what is kept: retained topics, sessions under ever new names, everything a client may have unacknowledged. Each ends at its
// limit with a reason, and those who were there before notice nothing.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../harness/index.ts';
import { bytesHeld } from './heap.ts';

describe('a flood of retained topics', () => {
  it('ends at the limit of messages: new topics are refused, known ones still change and go', async () => {
    const broker = startTestBroker({ limits: { retainedMessagesMax: 500 } });
    const attacker = await broker.connect('attacker');
    const codes: number[] = [];
    for (let n = 0; n < 2_000; n++) codes.push(await attacker.deliver(`flood/${n}`, 'x', { retain: true }));
    expect(codes.slice(0, 500).every((code) => code < 0x80)).toBe(true);
    expect(codes.slice(500).every((code) => code === 0x97)).toBe(true);
    expect(await attacker.deliver('flood/7', 'changed', { retain: true })).toBeLessThan(0x80);
    expect(await attacker.deliver('flood/8', '', { retain: true })).toBeLessThan(0x80);
    expect(await attacker.deliver('one/more', 'x', { retain: true })).toBeLessThan(0x80);
    expect(await attacker.deliver('too/many', 'x', { retain: true })).toBe(0x97);
    const late = await broker.connect('late');
    await late.subscribe({ filter: '#', qos: 0 });
    expect(await late.receiveAll()).toHaveLength(500);
  });

  it('ends at the limit of bytes, also where one topic grows', async () => {
    const broker = startTestBroker({ limits: { retainedBytesMax: 100_000 } });
    const attacker = await broker.connect('attacker');
    const codes: number[] = [];
    for (let n = 0; n < 20; n++)
      codes.push(await attacker.deliver(`t${n % 10}`, 'x'.repeat(5_000 + n * 1_000), { retain: true }));
    expect(codes.filter((code) => code === 0x97).length).toBeGreaterThan(5);
    const late = await broker.connect('late');
    await late.subscribe({ filter: '#', qos: 0 });
    const kept = (await late.receiveAll()).map((packet) => (packet.type === 'publish' ? packet.payload.length : 0));
    expect(kept.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(100_000);
  });
});

describe('a flood of sessions under new client identifiers', () => {
  it('ends at the limit with a reason; the sessions there are stay, and can come back', async () => {
    const broker = startTestBroker({ limits: { sessionsMax: 200 } });
    const kept = { cleanStart: false, properties: { sessionExpiryInterval: 0xffff_ffff } } as const;
    const known = await broker.connect('known', kept);
    await known.subscribe({ filter: 'a', qos: 1 });
    await known.cut();
    let refused = 0;
    for (let n = 0; n < 600; n++) {
      const client = broker.open(n % 2 === 0 ? 5 : 4);
      const { reasonCode } = await client.connect(`flood-${n}`, n % 2 === 0 ? kept : { cleanStart: false });
      if (reasonCode === 0) {
        await client.cut();
        continue;
      }
      refused += 1;
      expect(reasonCode).toBe(n % 2 === 0 ? 0x97 : 3);
    }
    expect(refused).toBe(401);
    const publisher = broker.open(5);
    expect((await publisher.connect('p')).reasonCode).toBe(0x97);
    const back = await broker.connect('known', kept);
    expect(back.connack?.sessionPresent).toBe(true);
    back.publish('a', 'x', { qos: 1 });
    expect((await back.receiveAll()).map(({ type }) => type).sort()).toEqual(['puback', 'publish']);
  });

  it('does not grow the memory of what was refused', async () => {
    const broker = startTestBroker({ limits: { sessionsMax: 10 } });
    const flood = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n++) {
        const client = broker.open(5);
        await client.connect(`f-${n}`, { cleanStart: false, properties: { sessionExpiryInterval: 3_600 } });
        await client.cut();
      }
      broker.events.length = 0;
    };
    await flood(0, 300);
    const before = await bytesHeld();
    await flood(300, 1_300);
    expect(((await bytesHeld()) - before) / 1_000).toBeLessThan(1_000);
  });
});

describe('65,535 messages under way to one client', () => {
  it('are all sent, each under its own packet identifier, acknowledged in any order, and the next ones follow', {
    timeout: 120_000,
  }, async () => {
    const limits = {
      inFlightMax: 65_535,
      receiveMaximum: 65_535,
      queueMessagesMax: 100_000,
      queueBytesMax: 100_000_000,
      unsentBytesMax: 100_000_000,
    };
    const broker = startTestBroker({ limits });
    const subscriber = await broker.connect('s', {
      properties: { receiveMaximum: 65_535, sessionExpiryInterval: 3_600 },
    });
    await subscriber.subscribe({ filter: 'a', qos: 1 });
    const publisher = await broker.connect('p');
    const packets = Array.from({ length: 70_000 }, (_, n) => publisher.publication('a', String(n), { qos: 1 }));
    const ids = new Set<number>();
    let last = -1;
    const take = async (): Promise<void> => {
      for (const packet of await subscriber.receiveAll()) {
        if (packet.type !== 'publish') continue;
        expect(ids.has(packet.packetId), 'a packet identifier in use is not given again').toBe(false);
        ids.add(packet.packetId);
        const n = Number(new TextDecoder().decode(packet.payload));
        expect(n).toBe(last + 1);
        last = n;
      }
    };
    for (let at = 0; at < packets.length; at += 1_000) {
      publisher.send(...packets.slice(at, at + 1_000));
      await publisher.receiveAll();
      await take();
    }
    expect(ids.size).toBe(65_535);
    await subscriber.ping();
    const unacknowledged = [...ids].reverse();
    for (let at = 0; at < unacknowledged.length; at += 1_000) {
      for (const id of unacknowledged.slice(at, at + 1_000)) {
        subscriber.ack('puback', id);
        ids.delete(id);
      }
      await take();
    }
    await take();
    expect(last).toBe(69_999);
  });
});
