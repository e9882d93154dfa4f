import { describe, expect, it } from 'vitest';
import { startTestBroker, TestBroker } from '../../../../test/harness/index.ts';
import { will } from '../../../../test/harness/will.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';

const KEPT = { sessionExpiryInterval: 600 };

/** A store with the session `s`, subscribed to `t` and owed three messages, of a broker that is no more. */
async function storeOfEarlierRun(options: { readonly withWill?: boolean } = {}): Promise<MemoryStore> {
  const store = new MemoryStore({ defer: setImmediate });
  const earlier = new TestBroker({ store });
  const publisher = await earlier.connect('p');
  const left = options.withWill === true ? { will: will('w', 'x', { properties: { willDelayInterval: 60 } }) } : {};
  const client = await earlier.connect('s', { cleanStart: false, properties: KEPT, ...left });
  await client.subscribe('t');
  await client.cut();
  for (const text of ['1', '2', '3']) await publisher.deliver('t', text);
  return store;
}

describe('a session that only the store knows', () => {
  it('[MQTT-3.1.2-4] is not resumed by the second of two clients that race, if it ended with the first', async () => {
    const broker = startTestBroker({ store: await storeOfEarlierRun() });
    const publisher = await broker.connect('p');
    const clients = [broker.open(5), broker.open(5)];
    for (const client of clients) {
      const properties = {};
      client.send({ type: 'connect', version: 5, clientId: 's', cleanStart: false, keepAlive: 0, properties });
    }
    const [first, second] = clients as [(typeof clients)[0], (typeof clients)[0]];
    await first.receiveAll();
    expect((await second.receive('connack')).sessionPresent).toBe(false);
    await publisher.deliver('t', 'x');
    expect(await second.receiveAll()).toEqual([]);
  });

  it.each([KEPT, {}])('[MQTT-3.1.2-4] is discarded by a clean start with %o', async (properties) => {
    const broker = startTestBroker({ store: await storeOfEarlierRun() });
    const clean = await broker.connect('s', { cleanStart: true, properties });
    expect(await clean.receiveAll()).toEqual([]);
    await clean.cut();
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    expect(await back.receiveAll()).toEqual([]);
  });

  it('loses the will that waited for its client', async () => {
    const store = await storeOfEarlierRun({ withWill: true });
    const broker = startTestBroker({ store });
    await broker.connect('s', { cleanStart: false, properties: KEPT });
    const wills: unknown[] = [];
    await broker.advance(0);
    store.listSessions((sessions) => wills.push(...sessions.map((session) => session.will)));
    await broker.advance(0);
    expect(wills).toEqual([undefined]);
  });

  it('keeps no subscription that the policy does not grant any more', async () => {
    const rules = ['allow all other', 'allow receive t', 'allow publish t'];
    const broker = startTestBroker({ store: await storeOfEarlierRun(), rules });
    const publisher = await broker.connect('p');
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await back.receiveAll();
    await publisher.deliver('t', 'x');
    expect(await back.receiveAll()).toEqual([]);
  });
});
