// A disk that fills (CVE class: a flood that fills the store takes the broker with it): who needs it is refused and told so, nothing
// acknowledged is lost, and those who do not need it notice nothing.

import { describe, expect, it } from 'vitest';
import { openLevelStore } from '../../packages/broker/src/store/level/open.ts';
import type { Space } from '../../packages/broker/src/store/level/space.ts';
import { type RawClient, settle, startTestBroker, type TestBroker } from '../harness/index.ts';
import { TornDisk, TornEngine } from '../sim/torn-engine.ts';

const FULL = new Error('No space left on device');

class TestSpace implements Space {
  shortage: string | undefined = undefined;
  #listener: () => void = () => undefined;

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  wrote(): void {
    // The test says itself when there is no more room.
  }

  set(shortage: string | undefined): void {
    this.shortage = shortage;
    this.#listener();
  }
}

async function world() {
  const disk = new TornDisk();
  const space = new TestSpace();
  const retries: (() => void)[] = [];
  const store = await openLevelStore(new TornEngine(disk, { defer: setImmediate, oneIn: () => false }), {
    lingerMs: 0,
    defer: setImmediate,
    after: (ms, run) => void (ms < 100 ? setImmediate(run) : retries.push(run)),
    nowMs: () => 0,
    space,
  });
  const broker = startTestBroker({ store });
  await broker.restore();
  const away = await stored(broker, 'away');
  await away.subscribe({ filter: 'a', qos: 2 });
  await away.cut();
  return {
    disk,
    space,
    store,
    broker,
    /** The disk takes writes again, and the store tries. */
    async recover() {
      disk.fault = undefined;
      for (const run of retries.splice(0)) run();
      await settle();
    },
  };
}

function stored(broker: TestBroker, clientId: string, version: 4 | 5 = 5): Promise<RawClient> {
  const properties = version === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {};
  return broker.connect(clientId, { version, cleanStart: false, ...properties });
}

async function owedTo(broker: TestBroker, clientId: string): Promise<string[]> {
  const client = await stored(broker, clientId);
  const owed = (await client.receiveAll()).flatMap((packet) => {
    if (packet.type !== 'publish') return [];
    client.ack(packet.qos === 1 ? 'puback' : 'pubrec', packet.packetId);
    return [new TextDecoder().decode(packet.payload)];
  });
  await client.cut();
  return owed;
}

describe('a disk that is full', () => {
  it.each([1, 2] as const)(
    'MQTT 5.0, QoS %i: who waits is disconnected, then refused with quota exceeded, then served again',
    async (qos) => {
      const { disk, broker, recover } = await world();
      const first = await stored(broker, 'first');
      expect(await first.deliver('a', 'before', { qos })).toBe(0);
      disk.fault = FULL;
      first.publish('a', 'caught', { qos });
      const packets = await first.receiveAll();
      expect(packets.map(({ type }) => type)).not.toContain(qos === 1 ? 'puback' : 'pubrec');
      expect(first.closed).toBe(true);
      const second = await broker.connect('second');
      expect(await second.deliver('a', 'refused', { qos })).toBe(0x97);
      expect(await second.deliver('a', 'refused too', { qos, retain: true })).toBe(0x97);
      await recover();
      expect(await second.deliver('a', 'after', { qos })).toBe(0);
      const owed = await owedTo(broker, 'away');
      expect(owed.filter((payload) => payload !== 'caught')).toEqual(['before', 'after']);
      expect(broker.events.filter(({ name }) => name === 'store.fault')).toHaveLength(1);
      expect(broker.events.filter(({ name }) => name === 'store.recovered')).toHaveLength(1);
    },
  );

  it.each([3, 4] as const)('MQTT version %i: no acknowledgement, the connection ends', async (version) => {
    const { space, broker } = await world();
    space.set('the disk of the store has 3 MiB left');
    for (const qos of [1, 2] as const) {
      const client = await broker.connect('c', { version });
      client.publish('a', 'x', { qos });
      await client.expectClosed();
    }
  });

  it('live traffic goes on: QoS 0 to everybody, QoS 1 and 2 where nobody needs the disk', async () => {
    const { disk, broker, recover } = await world();
    const [reader, publisher] = [await broker.connect('reader'), await broker.connect('publisher')];
    await reader.subscribe([
      { filter: 'a', qos: 0 },
      { filter: 'live', qos: 2 },
    ]);
    disk.fault = FULL;
    (await broker.connect('caught')).publish('a', 'caught', { qos: 1 });
    await settle();
    await reader.receiveAll();
    for (let n = 0; n < 20; n++) {
      publisher.publish('a', `${n}`);
      expect((await reader.takeMessages(1))[0]).toBe(`${n}`);
      expect(await publisher.deliver('live', `${n}`, { qos: n % 2 === 0 ? 1 : 2 })).toBe(0);
      expect((await reader.takeMessages(1))[0]).toBe(`${n}`);
    }
    await recover();
    expect(await owedTo(broker, 'away')).toEqual(['caught']);
  });

  it('no session or subscription is promised that cannot be kept; the ones there are stay', async () => {
    const { space, broker } = await world();
    const known = await stored(broker, 'known');
    space.set('the disk of the store has 3 MiB left');
    const [stranger, passing] = [broker.open(5), await broker.connect('passing')];
    await stranger.connect('stranger', { cleanStart: false, properties: { sessionExpiryInterval: 60 } });
    expect(stranger.connack?.reasonCode).toBe(0x97);
    expect((await known.subscribe('a')).reasonCodes).toEqual([0x97]);
    expect((await passing.subscribe('a')).reasonCodes).toEqual([2]);
    await known.ping();
    space.set(undefined);
    expect((await known.subscribe('a')).reasonCodes).toEqual([2]);
  });

  it('short of full, what is stored already is still delivered and struck off', async () => {
    const { disk, space, broker } = await world();
    const publisher = await broker.connect('publisher');
    for (let n = 0; n < 10; n++) expect(await publisher.deliver('a', `${n}`, { qos: 1 })).toBe(0);
    const entries = disk.entries.size;
    space.set('the disk of the store has 3 MiB left');
    expect(await publisher.deliver('a', 'refused', { qos: 1 })).toBe(0x97);
    expect(await owedTo(broker, 'away')).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    await settle();
    expect(disk.entries.size).toBeLessThan(entries);
    expect(broker.events.filter(({ name }) => name === 'store.fault')).toHaveLength(1);
    space.set(undefined);
    await settle();
    expect(broker.events.filter(({ name }) => name === 'store.recovered')).toHaveLength(1);
    expect(await publisher.deliver('a', 'again', { qos: 1 })).toBe(0);
    expect(await owedTo(broker, 'away')).toEqual(['again']);
  });

  it('fails again and again: whatever was acknowledged meanwhile is owed, once for each', async () => {
    const { disk, broker, recover } = await world();
    const acknowledged: string[] = [];
    let publisher = await broker.connect('publisher');
    for (let n = 0; n < 60; n++) {
      disk.fault = n % 7 > 4 ? FULL : undefined;
      if (publisher.closed) publisher = await broker.connect('publisher');
      publisher.publish('a', `${n}`, { qos: 1 });
      for (const packet of await publisher.receiveAll()) {
        if (packet.type === 'puback' && packet.reasonCode < 0x80) acknowledged.push(`${n}`);
      }
      if (n % 7 === 0) await recover();
    }
    await recover();
    expect(acknowledged.length).toBeGreaterThan(20);
    const owed = await owedTo(broker, 'away');
    expect(new Set(owed).size).toBe(owed.length);
    for (const payload of acknowledged) expect(owed).toContain(payload);
  });
});
