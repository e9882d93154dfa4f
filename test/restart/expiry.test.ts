// Time over a restart: sessions and messages expire while the broker is down as they would have with it.

import { describe, expect, it } from 'vitest';
import { ENDINGS, fetch, leaveSubscribed, startPlant } from './plant.ts';

const MINUTE = { sessionExpiryInterval: 60 };

describe.each(ENDINGS)('MQTT 5.0, %s: sessions', (ending) => {
  it('[MQTT-4.1.0-2] [MQTT-3.1.2-6] that expired while the broker was down are gone, with all they were owed', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c', { properties: MINUTE });
    await client.subscribe({ filter: 'a', qos: 1 });
    await client.cut();
    await plant.publish('a', 'owed');
    await plant.restart({ downMs: 60_000 });
    expect(plant.events('session.expired')).toMatchObject([{ clientId: 'c' }]);
    expect(await plant.stored()).toEqual([]);
    const anew = await plant.keep('c', { present: false });
    await plant.publish('a', 'new');
    await anew.expectNothing();
  });

  it('[MQTT-3.1.2-23] with ten seconds left are there for these', async () => {
    const plant = await startPlant(ending);
    for (const id of ['early', 'late']) {
      const client = await plant.keep(id, { properties: MINUTE });
      await client.subscribe({ filter: 'a', qos: 1 });
      await client.cut();
    }
    await plant.restart({ downMs: 50_000 });
    await plant.broker.advance(9_000);
    await (await plant.keep('early', { properties: MINUTE, present: true })).cut();
    await plant.broker.advance(2_000);
    await plant.keep('late', { present: false });
    await plant.broker.advance(57_000);
    await plant.keep('early', { present: true });
  });

  it('that never expire do not', async () => {
    const plant = await startPlant(ending);
    await (await plant.keep('v3', { version: 4 })).cut();
    await (await plant.keep('v5', { properties: { sessionExpiryInterval: 0xffff_ffff } })).cut();
    await plant.restart({ downMs: 10 * 365 * 86_400_000 });
    await plant.keep('v3', { version: 4, present: true });
    await plant.keep('v5', { present: true });
  });

  it('[MQTT-3.14.2-2] whose DISCONNECT shortened them last that long', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c');
    await client.disconnect(0, { sessionExpiryInterval: 20 });
    await plant.restart({ downMs: 21_000 });
    await plant.keep('c', { present: false });
  });

  it('of a clock that was set back end no later than their interval after the start', async () => {
    const plant = await startPlant(ending);
    await (await plant.keep('c', { properties: MINUTE })).cut();
    plant.clock.setBack(86_400_000);
    await plant.restart();
    await plant.broker.advance(61_000);
    await plant.keep('c', { present: false });
  });

  it('that are longer than is allowed now are cut to what is', async () => {
    const plant = await startPlant(ending);
    await (await plant.keep('c', { version: 4 })).cut();
    await plant.restart({ downMs: 30_000, limits: { sessionExpirySecondsMax: 60 } });
    await plant.broker.advance(31_000);
    await plant.keep('c', { version: 4, present: false });
  });
});

describe('sessions of clients that were connected', () => {
  it('[MQTT-3.1.2-23] last from the restart if the broker died: nobody knows when it did', async () => {
    const plant = await startPlant('killed');
    await plant.keep('c', { properties: MINUTE });
    await plant.restart({ downMs: 1_000_000 });
    await plant.broker.advance(59_000);
    await plant.restart({ downMs: 500 });
    expect(plant.events('session.expired')).toEqual([]);
    await plant.broker.advance(1_000);
    expect(plant.events('session.expired')).toMatchObject([{ clientId: 'c' }]);
  });

  it('[MQTT-4.1.0-2] last from the end of a broker that was told to end', async () => {
    const plant = await startPlant('told');
    await plant.keep('c', { properties: MINUTE });
    await plant.restart({ downMs: 61_000 });
    await plant.keep('c', { present: false });
  });

  it('that were to end with their connection are not there', async () => {
    const plant = await startPlant('killed');
    const client = await plant.keep('c');
    await client.cut();
    await plant.keep('c', { properties: { sessionExpiryInterval: 0 }, present: true });
    await plant.restart();
    await plant.keep('c', { present: false });
  });
});

describe.each(ENDINGS)('MQTT 5.0, %s: messages', (ending) => {
  it('[MQTT-3.3.2-5] that expired before their delivery began are not delivered', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'c', { filter: 'a', qos: 2 });
    for (const qos of [1, 2] as const)
      await plant.publish('a', 'late', { qos, properties: { messageExpiryInterval: 30 } });
    await plant.publish('a', 'for ever', { qos: 2 });
    await plant.restart({ downMs: 31_000 });
    expect(await fetch(plant, 'c', 1)).toEqual(['for ever']);
  });

  it('[MQTT-3.3.2-6] that have ten seconds left say so', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'c', { filter: 'a', qos: 1 });
    await plant.publish('a', 'in time', { properties: { messageExpiryInterval: 30 } });
    await plant.restart({ downMs: 20_000 });
    const client = await plant.keep('c', { present: true });
    expect((await client.expectMessage('a', 'in time')).properties).toEqual({ messageExpiryInterval: 10 });
  });

  it('[MQTT-4.3.3-7] [MQTT-4.3.3-13] of QoS 2 that were sent do not expire any more', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c');
    await client.subscribe({ filter: 'a', qos: 2 });
    await plant.publish('a', 'begun', { qos: 2, properties: { messageExpiryInterval: 30 } });
    const { packetId } = await client.expectMessage('a', 'begun');
    await client.cut();
    await plant.restart({ downMs: 31_000 });
    const again = await plant.keep('c', { present: true });
    expect(await again.expectMessage('a', 'begun')).toMatchObject({ packetId, dup: true });
  });

  it('make room in a full queue when they expire', async () => {
    const plant = await startPlant(ending, { limits: { queueMessagesMax: 2 } });
    await leaveSubscribed(plant, 'c', { filter: 'a', qos: 1 });
    for (const n of [1, 2]) await plant.publish('a', `${n}`, { properties: { messageExpiryInterval: 30 } });
    await plant.restart({ downMs: 31_000 });
    await plant.broker.advance(10_000);
    await plant.publish('a', 'fits');
    expect(await fetch(plant, 'c', 1)).toEqual(['fits']);
  });
});
