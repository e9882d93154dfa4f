// What the reference promises about refusals, seen by MQTT 5.0 clients: the codes, and one decision on every path.

import { describe, expect, it } from 'vitest';
import { startTestBroker, will } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

describe('a refused PUBLISH', () => {
  it.each([0, 1, 2] as const)('at QoS %i reaches nobody, is told, and leaves the connection', async (qos) => {
    const broker = startTestBroker({ rules: ['allow all open/#', 'allow subscribe #'] });
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('#');
    if (qos === 0) publisher.publish('secret', 'x', { retain: true });
    else expect(await publisher.deliver('secret', 'x', { qos, retain: true })).toBe(0x87);
    await publisher.deliver('open/a', 'y');
    await subscriber.expectMessage('open/a', 'y');
    await subscriber.expectNothing();
    const late = await broker.connect('late');
    await late.subscribe('secret');
    await late.expectNothing();
    expect(broker.events.find((event) => event.name === 'peer.refused')).toMatchObject({
      layer: 'access',
      reason: 'not-authorized',
      topic: 'secret',
      clientId: 'p',
    });
  });
});

describe('a refused filter', () => {
  it('gets 0x87 and is reported, the others are granted', async () => {
    const broker = startTestBroker({ rules: ['allow all open/#'] });
    const client = await broker.connect('c');
    expect((await client.subscribe(['open/a', 'secret', '#', 'open/#'])).reasonCodes).toEqual([2, 0x87, 0x87, 2]);
    expect(broker.events.filter((event) => event.name === 'peer.refused')).toHaveLength(2);
  });
});

describe('receiving', () => {
  it('a wider subscription brings nothing of what may not be received', async () => {
    const broker = startTestBroker({ rules: ['allow all #', 'deny receive secret/#'] });
    const [subscriber, shared, publisher] = [
      await broker.connect('s'),
      await broker.connect('g'),
      await broker.connect('p'),
    ];
    await subscriber.subscribe('#');
    await shared.subscribe('$share/g/#');
    for (const qos of [1, 2] as const) {
      await publisher.deliver('secret/a', 'x', { qos });
      await publisher.deliver('open', 'y', { qos });
    }
    expect(await subscriber.takeMessages(2)).toEqual(['y', 'y']);
    expect(await shared.takeMessages(2)).toEqual(['y', 'y']);
  });
});

describe('rights that are taken away', () => {
  it('end delivery at once, and the subscription with a DISCONNECT 0x87 that says why', async () => {
    const broker = startTestBroker({ rules: ['allow all #'] });
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('secret/#');
    await publisher.deliver('secret/a', 'before');
    await subscriber.expectMessage('secret/a', 'before');
    broker.access.replace(['allow all #', 'deny all secret/#']);
    expect(await publisher.deliver('secret/a', 'after')).toBe(0x87);
    await broker.advance(1_000);
    const packet = await subscriber.receive('disconnect');
    expect(packet.reasonCode).toBe(0x87);
    expect(packet.properties.reasonString).toBeTruthy();
    await subscriber.expectClosed();
    await publisher.ping();
  });

  it('end delivery to a subscription that is wider than what was taken', async () => {
    const broker = startTestBroker({ rules: ['allow all #'] });
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('#');
    await publisher.deliver('secret/a', 'before');
    await subscriber.takeMessages(1);
    broker.access.replace(['allow all #', 'deny receive secret/#']);
    await publisher.deliver('secret/a', 'after');
    await publisher.deliver('open', 'after');
    expect(await subscriber.takeMessages(1)).toEqual(['after']);
    await subscriber.expectNothing();
  });

  it('hold for what waits in a queue, also when it comes after a reconnect', async () => {
    const broker = startTestBroker({ rules: ['allow all #'] });
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('#');
    await first.cut();
    await publisher.deliver('secret/a', 'x');
    await publisher.deliver('open', 'y');
    broker.access.replace(['allow all #', 'deny receive secret/#']);
    const second = await broker.connect('s', { cleanStart: false, properties: KEPT });
    expect(await second.takeMessages(1)).toEqual(['y']);
    await second.expectNothing();
  });

  it('hold for what was sent and not acknowledged', async () => {
    const broker = startTestBroker({ rules: ['allow all #'] });
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('#');
    await publisher.deliver('secret/a', 'x');
    await first.expectMessage('secret/a', 'x');
    await first.cut();
    broker.access.replace(['allow all #', 'deny receive secret/#']);
    const second = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await second.expectNothing();
    await publisher.deliver('open', 'y');
    await second.expectMessage('open', 'y');
  });

  it('hold for a will that was allowed at CONNECT', async () => {
    const broker = startTestBroker({ rules: ['allow all #'] });
    const watcher = await broker.connect('w');
    await watcher.subscribe('#');
    const client = await broker.connect('c', { will: will('secret', 'gone', { retain: true }) });
    broker.access.replace(['allow all #', 'deny publish secret']);
    await client.cut();
    await watcher.expectNothing();
    expect(broker.events.some((event) => event.name === 'will.refused')).toBe(true);
    const late = await broker.connect('late');
    await late.subscribe('secret');
    await late.expectNothing();
  });
});
