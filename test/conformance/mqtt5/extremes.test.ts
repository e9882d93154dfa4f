// Values at the far ends of what MQTT 5.0 can express, which are as good as any other.

import { describe, expect, it } from 'vitest';
import { startTestBroker, will } from '../../harness/index.ts';

const MAX32 = 0xffff_ffff;
const KEPT = { sessionExpiryInterval: MAX32 };

describe('extremes', () => {
  it('[MQTT-3.3.2-6] the longest message expiry counts down like any other', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { properties: KEPT });
    await away.subscribe('a');
    await away.cut();
    await publisher.deliver('a', 'x', { properties: { messageExpiryInterval: MAX32 } });
    await broker.advance(5_000);
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    expect((await back.expectMessage('a', 'x')).properties.messageExpiryInterval).toBe(MAX32 - 5);
  });

  it('[MQTT-3.1.2-8] the longest will delay is not zero', async () => {
    const broker = startTestBroker();
    const watcher = await broker.connect('w');
    await watcher.subscribe('w');
    const lastWords = will('w', 'gone', { properties: { willDelayInterval: MAX32 } });
    await (await broker.connect('c', { properties: KEPT, will: lastWords })).cut();
    await broker.advance(24 * 3_600_000);
    await watcher.expectNothing();
    await broker.connect('c', { cleanStart: true });
    await watcher.expectMessage('w', 'gone');
  });

  it('[MQTT-3.1.2-22] the longest keep-alive runs for one and a half times 65,535 seconds', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { keepAlive: 65_535 });
    await broker.advance(98_300_000);
    await client.expectNothing();
    await broker.advance(5_000);
    await client.expectDisconnected('keep-alive-timeout');
  });

  it('[MQTT-3.3.2-18] two thousand user properties arrive in their order', async () => {
    const client = await startTestBroker().connect('c');
    await client.subscribe('a');
    const userProperty = Array.from({ length: 2_000 }, (_, n) => [`n${n % 7}`, String(n)] as const);
    client.send(client.publication('a', 'x', { properties: { userProperty } }));
    expect((await client.expectMessage('a', 'x')).properties.userProperty).toEqual(userProperty);
  });

  it('[MQTT-3.8.4-6] [MQTT-3.11.3-1] a thousand filters in one packet get a thousand codes', async () => {
    const client = await startTestBroker().connect('c');
    const filters = Array.from({ length: 1_000 }, (_, n) => `a/${n}/#`);
    expect((await client.subscribe(filters)).reasonCodes).toEqual(filters.map(() => 2));
    client.publish('a/999/b', 'x');
    await client.expectMessage('a/999/b', 'x');
    expect((await client.unsubscribe(...filters)).reasonCodes).toEqual(filters.map(() => 0));
  });

  it('the largest packet that the broker announces passes both ways, at every QoS', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    const most = publisher.connack?.properties.maximumPacketSize ?? 0;
    // Fixed header 4, topic 3, identifier 2, properties 1.
    for (const qos of [1, 2] as const) await publisher.deliver('a', new Uint8Array(most - 10), { qos });
    const sizes = (await subscriber.receiveAll()).map((packet) =>
      packet.type === 'publish' ? packet.payload.length : 0,
    );
    expect(sizes).toEqual([most - 10, most - 10]);
  });

  it('an empty payload, an empty user property and a topic of one slash are messages', async () => {
    const client = await startTestBroker().connect('c');
    await client.subscribe('/');
    client.publish('/', '', { properties: { userProperty: [['', '']] } });
    expect((await client.expectMessage('/', '')).properties.userProperty).toEqual([['', '']]);
  });
});
