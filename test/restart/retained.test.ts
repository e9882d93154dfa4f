// Retained messages over a restart: the last of each topic, with all it carries, for the time it has left.

import { describe, expect, it } from 'vitest';
import { ENDINGS, startPlant } from './plant.ts';

describe.each(ENDINGS)('%s: retained messages', (ending) => {
  it('[MQTT-3.3.1-5] [MQTT-3.3.1-6] are the last of their topic, none where it was taken away', async () => {
    const plant = await startPlant(ending);
    for (const payload of ['1', '2', '3']) await plant.publish('a/x', payload, { retain: true });
    await plant.publish('a/y', 'gone', { retain: true });
    await plant.publish('a/y', '', { retain: true });
    await plant.publish('a/z', 'there', { retain: true, qos: 2 });
    await plant.restart();
    for (const version of [4, 5] as const) {
      const client = await plant.broker.connect(`v${version}`, { version });
      await client.subscribe({ filter: 'a/#', qos: 2 });
      expect((await client.takeMessages(2)).sort()).toEqual(['3', 'there']);
      await client.expectNothing();
    }
    await plant.publish('a/x', '', { retain: true });
    await plant.restart();
    const client = await plant.broker.connect('c');
    await client.subscribe('a/x');
    await client.expectNothing();
  });

  it('[MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] carry all their properties', async () => {
    const plant = await startPlant(ending);
    const properties = {
      payloadFormatIndicator: 1,
      responseTopic: 'answers/here',
      correlationData: Uint8Array.of(0, 255, 1),
      contentType: 'application/json',
      userProperty: [
        ['b', '2'],
        ['a', '1'],
        ['b', '3'],
      ] as [string, string][],
    };
    await plant.publish('a', '{}', { retain: true, properties });
    await plant.restart();
    const client = await plant.broker.connect('c');
    await client.subscribe({ filter: 'a', qos: 1 });
    const came = await client.expectMessage('a', '{}');
    expect(came).toMatchObject({ retain: true, qos: 1 });
    expect({ ...came.properties, correlationData: [...(came.properties.correlationData ?? [])] }).toEqual({
      ...properties,
      correlationData: [0, 255, 1],
    });
  });

  it('[MQTT-3.3.2-5] [MQTT-3.3.2-6] expire on time, the time spent down included', async () => {
    const plant = await startPlant(ending);
    for (const seconds of [30, 100]) {
      await plant.publish(`a/${seconds}`, 'x', { retain: true, properties: { messageExpiryInterval: seconds } });
    }
    await plant.restart({ downMs: 40_000 });
    const client = await plant.broker.connect('c');
    await client.subscribe('a/#');
    expect((await client.expectMessage('a/100', 'x')).properties).toEqual({ messageExpiryInterval: 60 });
    await client.expectNothing();
  });

  it('are counted: the limit holds over restarts', async () => {
    const plant = await startPlant(ending, { limits: { retainedMessagesMax: 2 } });
    for (const topic of ['a', 'b']) await plant.publish(topic, 'x', { retain: true });
    await plant.restart();
    const publisher = await plant.broker.connect('p');
    expect(await publisher.deliver('c', 'x', { retain: true })).toBe(0x97);
    expect(await publisher.deliver('a', 'y', { retain: true })).toBeLessThan(0x80);
    expect(await publisher.deliver('b', '', { retain: true })).toBeLessThan(0x80);
    expect(await publisher.deliver('c', 'x', { retain: true })).toBeLessThan(0x80);
  });

  it("[MQTT-3.8.3-3] of one's own are kept from a subscription without them", async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c');
    await client.deliver('a', 'own', { retain: true });
    await client.cut();
    await plant.restart();
    const again = await plant.keep('c', { present: true });
    await again.subscribe({ filter: 'a', qos: 1, noLocal: true });
    await again.expectNothing();
  });
});
