// What sessions are owed after a restart: QoS 1 and 2 in order, under the same packet identifiers, with DUP where a delivery had
// begun, as far as each exchange had come.

import { describe, expect, it } from 'vitest';
import { ENDINGS, EVERY_WAY, fetch, leaveSubscribed, startPlant } from './plant.ts';

describe.each(EVERY_WAY)('$name: what is owed', ({ ending, version }) => {
  it('[MQTT-4.6.0-5] comes in the order in which it was published, each message once', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'away', { filter: 'q/#', qos: 2 }, version);
    await leaveSubscribed(plant, 'other', { filter: 'q/even', qos: 1 }, version);
    const publisher = await plant.keep('p', { version });
    const sent = Array.from({ length: 150 }, (_, n) => `${n}`);
    for (const [n, payload] of sent.entries()) {
      await publisher.deliver(n % 2 === 0 ? 'q/even' : 'q/odd', payload, { qos: n % 3 === 0 ? 2 : 1 });
    }
    await plant.restart();
    expect(await fetch(plant, 'away', 150, version)).toEqual(sent);
    await plant.restart();
    expect(await fetch(plant, 'away', 0, version)).toEqual([]);
    expect(await fetch(plant, 'other', 75, version)).toEqual(sent.filter((_, n) => n % 2 === 0));
  });

  it('[MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-3.3.1-3] what was sent comes again with its identifier and DUP, the rest without', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c', { version });
    await client.subscribe({ filter: 'q', qos: 2 });
    await plant.publish('q', 'first', { qos: 1 });
    const first = await client.expectMessage('q', 'first');
    await plant.publish('q', 'second', { qos: 2 });
    const second = await client.expectMessage('q', 'second');
    await client.cut();
    await plant.publish('q', 'third', { qos: 1 });
    await plant.publish('q', 'fourth', { qos: 2 });
    await plant.restart();
    const again = await plant.keep('c', { version, present: true });
    const came = [];
    for (const payload of ['first', 'second', 'third', 'fourth']) came.push(await again.expectMessage('q', payload));
    expect(came.map(({ dup, qos }) => [dup, qos])).toEqual([
      [true, 1],
      [true, 2],
      [false, 1],
      [false, 2],
    ]);
    expect(came.slice(0, 2).map(({ packetId }) => packetId)).toEqual([first.packetId, second.packetId]);
    expect(new Set(came.map(({ packetId }) => packetId)).size).toBe(4);
  });

  it('[MQTT-4.3.3-3] [MQTT-3.3.1-1] to a client that was connected when the broker ended it comes with DUP', async () => {
    const plant = await startPlant(ending);
    const clients = [await plant.keep('c1', { version }), await plant.keep('c2', { version })];
    for (const client of clients) await client.subscribe({ filter: 'q', qos: 2 });
    await plant.publish('q', 'open', { qos: 2 });
    const before = [];
    for (const client of clients) before.push((await client.expectMessage('q', 'open')).packetId);
    await plant.restart();
    for (const [n, id] of ['c1', 'c2'].entries()) {
      const again = await plant.keep(id, { version, present: true });
      expect(await again.expectMessage('q', 'open')).toMatchObject({ dup: true, packetId: before[n], qos: 2 });
    }
  });

  it('[MQTT-4.3.2-5] [MQTT-4.3.3-5] what was acknowledged to its end does not come again', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c', { version });
    await client.subscribe({ filter: 'q', qos: 2 });
    for (const qos of [1, 2] as const) await plant.publish('q', `${qos}`, { qos });
    expect(await client.takeMessages(2)).toEqual(['1', '2']);
    await client.cut();
    await plant.restart();
    await (await plant.keep('c', { version, present: true })).expectNothing();
  });

  it('[MQTT-4.3.3-6] [MQTT-4.4.0-1] of a QoS 2 message that was released only the PUBREL comes, until PUBCOMP', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c', { version });
    await client.subscribe({ filter: 'q', qos: 2 });
    await plant.publish('q', 'released', { qos: 2 });
    const { packetId } = await client.expectMessage('q', 'released');
    client.ack('pubrec', packetId);
    expect(await client.receive('pubrel')).toMatchObject({ packetId });
    await plant.restart();
    const again = await plant.keep('c', { version, present: true });
    expect(await again.receive('pubrel')).toMatchObject({ packetId });
    await again.expectNothing();
    await plant.restart();
    const third = await plant.keep('c', { version, present: true });
    expect(await third.receive('pubrel')).toMatchObject({ packetId });
    third.ack('pubcomp', packetId);
    await third.expectNothing();
    await plant.restart();
    await (await plant.keep('c', { version, present: true })).expectNothing();
  });

  it('is counted: a queue that was full is full, and has room again once it was fetched', async () => {
    const plant = await startPlant(ending, { limits: { queueMessagesMax: 3 } });
    await leaveSubscribed(plant, 'c', { filter: 'q', qos: 1 }, version);
    for (const payload of ['1', '2', '3']) await plant.publish('q', payload);
    await plant.restart();
    await plant.publish('q', 'too many');
    await plant.broker.advance(1_000);
    expect(plant.events('session.dropped-message')).toMatchObject([{ topic: 'q', why: 'its queue is full' }]);
    expect(await fetch(plant, 'c', 3, version)).toEqual(['1', '2', '3']);
    await plant.publish('q', 'fits');
    expect(await fetch(plant, 'c', 1, version)).toEqual(['fits']);
  });

  it('goes on with identifiers that no open exchange has', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c', { version });
    await client.subscribe({ filter: 'q', qos: 2 });
    await plant.publish('q', 'open', { qos: 2 });
    const open = await client.expectMessage('q', 'open');
    await plant.restart();
    const again = await plant.keep('c', { version, present: true });
    await again.expectMessage('q', 'open');
    await plant.publish('q', 'new', { qos: 2 });
    expect((await again.expectMessage('q', 'new')).packetId).not.toBe(open.packetId);
  });
});

describe.each(ENDINGS)('MQTT 5.0, %s: limits of the receiver', (ending) => {
  it('[MQTT-3.3.4-9] its Receive Maximum holds for what is sent again', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'c', { filter: 'q', qos: 1 });
    for (const payload of ['1', '2', '3']) await plant.publish('q', payload);
    await plant.restart();
    const client = await plant.keep('c', { present: true, properties: { receiveMaximum: 2 } });
    const packets = await client.receiveAll();
    expect(packets.map(({ type }) => type)).toEqual(['publish', 'publish']);
  });

  it('[MQTT-3.1.2-24] what has grown too large for it is given up, and the rest comes', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'c', { filter: 'q', qos: 1 });
    await plant.publish('q', 'x'.repeat(500));
    await plant.publish('q', 'small');
    await plant.restart();
    const client = await plant.keep('c', { present: true, properties: { maximumPacketSize: 200 } });
    expect(await client.takeMessages(1)).toEqual(['small']);
    await client.disconnect();
    await plant.restart();
    await (await plant.keep('c', { present: true })).expectNothing();
  });
});
