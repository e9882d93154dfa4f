// Wills over a restart (3.1.2.5): due ones are published, later ones wait for their time, cancelled ones stay cancelled.

import { describe, expect, it } from 'vitest';
import { will } from '../harness/index.ts';
import { ENDINGS, EVERY_WAY, fetch, leaveSubscribed, type Plant, startPlant } from './plant.ts';

const DELAYED = will('wills/c', 'gone', { qos: 1, properties: { willDelayInterval: 30 } });

/** Somebody who is away and owed every will. */
async function startWatched(ending: (typeof ENDINGS)[number]): Promise<Plant> {
  const plant = await startPlant(ending);
  await leaveSubscribed(plant, 'watcher', { filter: 'wills/#', qos: 2 });
  return plant;
}

describe.each(ENDINGS)('MQTT 5.0, %s: a delayed will', (ending) => {
  it('[MQTT-3.1.2-8] that fell due while the broker was down is published at its start, once', async () => {
    const plant = await startWatched(ending);
    await (await plant.keep('c', { will: DELAYED })).cut();
    await plant.restart({ downMs: 31_000 });
    expect(plant.events('will.published')).toMatchObject([{ clientId: 'c', topic: 'wills/c' }]);
    await plant.restart({ downMs: 60_000 });
    expect(plant.events('will.published')).toEqual([]);
    expect(await fetch(plant, 'watcher', 1)).toEqual(['gone']);
  });

  it('that is not due waits for the rest of its delay: time spent down counts', async () => {
    const plant = await startWatched(ending);
    await (await plant.keep('c', { will: DELAYED })).cut();
    await plant.restart({ downMs: 20_000 });
    await plant.broker.advance(9_000);
    expect(plant.events('will.published')).toEqual([]);
    await plant.broker.advance(2_000);
    expect(plant.events('will.published')).toHaveLength(1);
    expect(await fetch(plant, 'watcher', 1)).toEqual(['gone']);
  });

  it('[MQTT-3.1.3-9] is not published if the client is back in time, not after another restart either', async () => {
    const plant = await startWatched(ending);
    await (await plant.keep('c', { will: DELAYED })).cut();
    await plant.restart({ downMs: 20_000 });
    const back = await plant.keep('c', { present: true });
    await plant.broker.advance(30_000);
    await back.disconnect();
    await plant.restart({ downMs: 60_000 });
    expect(await fetch(plant, 'watcher', 0)).toEqual([]);
  });

  it('goes out with its session if that ended first', async () => {
    const plant = await startWatched(ending);
    const client = await plant.keep('c', { will: DELAYED, properties: { sessionExpiryInterval: 10 } });
    await client.cut();
    await plant.restart({ downMs: 11_000 });
    expect(plant.events('session.expired')).toMatchObject([{ clientId: 'c' }]);
    expect(await fetch(plant, 'watcher', 1)).toEqual(['gone']);
  });

  it('comes with its properties, and its expiry from when it is published', async () => {
    const plant = await startWatched(ending);
    const properties = {
      willDelayInterval: 30,
      messageExpiryInterval: 50,
      contentType: 'text/plain',
      payloadFormatIndicator: 1,
    };
    await (await plant.keep('c', { will: will('wills/c', 'gone', { qos: 1, retain: true, properties }) })).cut();
    await plant.restart({ downMs: 300_000 });
    const watcher = await plant.keep('watcher', { present: true });
    const { properties: came } = await watcher.expectMessage('wills/c', 'gone');
    expect(came).toMatchObject({ messageExpiryInterval: 50, contentType: 'text/plain', payloadFormatIndicator: 1 });
    const late = await plant.broker.connect('late');
    await late.subscribe('wills/c');
    expect(await late.expectMessage('wills/c', 'gone')).toMatchObject({ retain: true });
  });

  it('that may not be published any more is refused and said so', async () => {
    const plant = await startWatched(ending);
    await (await plant.keep('c', { will: DELAYED })).cut();
    await plant.restart({ downMs: 31_000, rules: ['allow subscribe #', 'deny publish wills/#'] });
    expect(plant.events('will.refused')).toMatchObject([{ clientId: 'c', topic: 'wills/c' }]);
    expect(await fetch(plant, 'watcher', 0)).toEqual([]);
  });
});

describe.each(EVERY_WAY)('$name: the will of a client that was connected', ({ ending, version }) => {
  it.each(['kept', 'clean'])('[MQTT-3.1.2-8] is published once, of a session that is %s', async (kind) => {
    const plant = await startWatched(ending);
    const said = { version, will: will('wills/c', 'gone', { qos: 1 }) };
    await (kind === 'kept' ? plant.keep('c', said) : plant.broker.connect('c', said));
    await plant.restart({ downMs: 5_000 });
    expect(await fetch(plant, 'watcher', 1)).toEqual(['gone']);
    await plant.restart();
    expect(await fetch(plant, 'watcher', 0)).toEqual([]);
    expect((await plant.stored()).map(({ session }) => session.clientId)).toEqual(
      kind === 'kept' ? ['watcher', 'c'] : ['watcher'],
    );
  });

  it.each(['kept', 'clean'])(
    '[MQTT-3.1.2-10] is forgotten if it said goodbye, of a session that is %s',
    async (kind) => {
      const plant = await startWatched(ending);
      const said = { version, will: will('wills/c', 'gone', { qos: 1 }) };
      const client = await (kind === 'kept' ? plant.keep('c', said) : plant.broker.connect('c', said));
      await client.disconnect();
      await plant.restart({ downMs: 5_000 });
      expect(await fetch(plant, 'watcher', 0)).toEqual([]);
    },
  );
});
