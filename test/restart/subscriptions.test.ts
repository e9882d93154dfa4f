// Subscriptions after a restart: each with its options and its identifier, shared ones in their groups, none that was ended.

import { describe, expect, it } from 'vitest';
import { ENDINGS, EVERY_WAY, leaveSubscribed, startPlant } from './plant.ts';

describe.each(EVERY_WAY)('$name: subscriptions', ({ ending, version }) => {
  it('[MQTT-3.1.2-5] [MQTT-3.2.2-3] [MQTT-4.1.0-1] are there for clients that come back and do not subscribe', async () => {
    const plant = await startPlant(ending);
    const one = await plant.keep('one', { version });
    await one.subscribe([
      { filter: 'plant/+/state', qos: 1 },
      { filter: 'plant/#', qos: 0 },
    ]);
    await leaveSubscribed(plant, 'two', { filter: 'plant/a/state', qos: 2 }, version);
    await plant.restart();
    const again = await plant.keep('one', { version, present: true });
    const two = await plant.keep('two', { version, present: true });
    const publisher = await plant.broker.connect('p', { version });
    await publisher.deliver('plant/a/state', 'on', { qos: 2 });
    expect(await again.expectMessage('plant/a/state', 'on')).toMatchObject({ qos: 1, dup: false });
    expect(await two.expectMessage('plant/a/state', 'on')).toMatchObject({ qos: 2, dup: false });
    await publisher.deliver('plant/a/other', 'x');
    expect(await again.expectMessage('plant/a/other', 'x')).toMatchObject({ qos: 0 });
    await two.expectNothing();
  });

  it('[MQTT-3.8.4-3] [MQTT-3.10.4-2] are those of the last word: replaced ones as replaced, unsubscribed ones not', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c', { version });
    await client.subscribe(['a', 'b', 'c'].map((filter) => ({ filter, qos: 0 })));
    await client.subscribe({ filter: 'b', qos: 1 });
    await client.unsubscribe('c');
    await client.cut();
    await plant.restart();
    for (const topic of ['a', 'b', 'c']) await plant.publish(topic, topic);
    const again = await plant.keep('c', { version, present: true });
    expect(await again.takeMessages(1)).toEqual(['b']);
    await again.expectNothing();
    expect((await again.unsubscribe('a', 'b', 'c')).reasonCodes).toEqual(version === 5 ? [0, 0, 0x11] : []);
  });

  it('count for shared groups: each message goes to one of the members that came back', async () => {
    const plant = await startPlant(ending);
    for (const id of ['m1', 'm2']) await leaveSubscribed(plant, id, { filter: '$share/g/job', qos: 1 }, version);
    await plant.restart();
    const members = [
      await plant.keep('m1', { version, present: true }),
      await plant.keep('m2', { version, present: true }),
    ];
    for (let n = 0; n < 6; n++) await plant.publish('job', `${n}`);
    const got = await Promise.all(members.map((member) => member.receiveAll()));
    expect(got.map((packets) => packets.length)).toEqual([3, 3]);
  });

  it('that lost their session by a clean start are gone', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'c', 'a', version);
    const anew = await plant.keep('c', { version, cleanStart: true, present: false });
    await anew.cut();
    await plant.restart();
    await plant.publish('a', 'x');
    const again = await plant.keep('c', { version });
    await again.expectNothing();
    expect(again.connack?.sessionPresent).toBe(version === 5);
  });
});

describe.each(ENDINGS)('MQTT 5.0, %s: options of subscriptions', (ending) => {
  it('[MQTT-3.8.3-3] No Local still keeps a client from its own messages', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'c', { filter: 'a', qos: 1, noLocal: true });
    await plant.restart();
    const client = await plant.keep('c', { present: true });
    await client.deliver('a', 'own');
    await client.expectNothing();
    await plant.publish('a', 'of another');
    await client.expectMessage('a', 'of another');
  });

  it('[MQTT-3.3.1-12] [MQTT-3.3.1-13] Retain As Published is as it was asked for', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'c', [
      { filter: 'kept', qos: 1, retainAsPublished: true },
      { filter: 'plain', qos: 1, retainAsPublished: false },
    ]);
    await plant.restart();
    const client = await plant.keep('c', { present: true });
    for (const topic of ['kept', 'plain']) await plant.publish(topic, topic, { retain: true });
    expect(await client.expectMessage('kept', 'kept')).toMatchObject({ retain: true });
    expect(await client.expectMessage('plain', 'plain')).toMatchObject({ retain: false });
  });

  it('[MQTT-3.3.4-3] [MQTT-3.3.4-4] overlapping ones name all their identifiers, for live and for queued messages', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c');
    await client.subscribe({ filter: 'a/#', qos: 1 }, { subscriptionIdentifier: [7] });
    await client.subscribe({ filter: 'a/b', qos: 1 }, { subscriptionIdentifier: [268_435_455] });
    await client.disconnect();
    await plant.publish('a/b', 'queued');
    await plant.restart();
    const again = await plant.keep('c', { present: true });
    const queued = await again.expectMessage('a/b', 'queued');
    again.ack('puback', queued.packetId);
    await plant.publish('a/b', 'live');
    const live = await again.expectMessage('a/b', 'live');
    for (const { properties } of [queued, live]) {
      expect([...(properties.subscriptionIdentifier ?? [])].sort((a, b) => a - b)).toEqual([7, 268_435_455]);
    }
  });

  it('[MQTT-3.3.1-10] a filter that is subscribed again with Retain Handling 1 is not new', async () => {
    const plant = await startPlant(ending);
    await plant.publish('a', 'kept', { retain: true });
    await leaveSubscribed(plant, 'c', { filter: 'a', qos: 1, retainHandling: 2 });
    await plant.restart();
    const client = await plant.keep('c', { present: true });
    await client.subscribe({ filter: 'a', qos: 1, retainHandling: 1 });
    await client.expectNothing();
    client.requestSubscribe({ filter: 'a', qos: 1, retainHandling: 0 });
    expect((await client.receiveAll()).map(({ type }) => type).sort()).toEqual(['publish', 'suback']);
  });
});
