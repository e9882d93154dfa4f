// MQTT 5.0, 3.3.2.3.3: messages that are only good for a while.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 6000 };
const LIVES_10 = { messageExpiryInterval: 10 };

describe('message expiry', () => {
  it('[MQTT-3.3.2-6] a live message carries the interval as it came', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c');
    await client.subscribe('a');
    client.publish('a', 'x', { properties: LIVES_10 });
    expect((await client.expectMessage('a', 'x')).properties.messageExpiryInterval).toBe(10);
  });

  it('[MQTT-3.3.2-5] [MQTT-3.3.2-6] a queued message loses the time it waited, and is dropped when it is over', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('a');
    await first.cut();
    publisher.publish('a', 'long', { qos: 1, properties: LIVES_10 });
    publisher.publish('a', 'short', { qos: 1, properties: { messageExpiryInterval: 3 } });
    publisher.publish('a', 'forever', { qos: 1 });
    await publisher.receiveAll();
    await broker.advance(4_000);
    const second = await broker.connect('s', { cleanStart: false, properties: KEPT });
    expect((await second.expectMessage('a', 'long')).properties.messageExpiryInterval).toBe(6);
    expect((await second.expectMessage('a', 'forever')).properties.messageExpiryInterval).toBeUndefined();
    await second.expectNothing();
  });

  it('[MQTT-3.3.2-5] [MQTT-3.3.2-6] the same for retained messages', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    publisher.publish('a', 'x', { retain: true, properties: LIVES_10 });
    await publisher.ping();
    await broker.advance(4_000);
    const early = await broker.connect('early');
    await early.subscribe('a');
    expect((await early.expectMessage('a', 'x')).properties.messageExpiryInterval).toBe(6);
    await broker.advance(7_000);
    const late = await broker.connect('late');
    await late.subscribe('a');
    await late.expectNothing();
  });

  it('[MQTT-3.3.1-5] [MQTT-3.3.2-5] a QoS 2 message that expires before PUBREL leaves nothing retained that was there before it', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    await publisher.deliver('a', 'old', { retain: true });
    publisher.publish('a', 'new', { qos: 2, retain: true, packetId: 7, properties: LIVES_10 });
    await publisher.receive('pubrec');
    await broker.advance(11_000);
    publisher.ack('pubrel', 7);
    await publisher.receive('pubcomp');
    const late = await broker.connect('late');
    await late.subscribe('a');
    await late.expectNothing();
  });

  it('[MQTT-3.3.2-5] [MQTT-3.3.2-6] the same behind a full window', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const subscriber = await broker.connect('s', { properties: { receiveMaximum: 1 } });
    await subscriber.subscribe('a');
    publisher.publish('a', 'first', { qos: 1 });
    publisher.publish('a', 'short', { qos: 1, properties: { messageExpiryInterval: 3 } });
    publisher.publish('a', 'long', { qos: 1, properties: LIVES_10 });
    const { packetId } = await subscriber.expectMessage('a', 'first');
    await broker.advance(5_000);
    subscriber.ack('puback', packetId);
    expect((await subscriber.expectMessage('a', 'long')).properties.messageExpiryInterval).toBe(5);
    await subscriber.expectNothing();
  });

  it('[MQTT-3.3.2-5] the same in a shared subscription', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('$share/g/a');
    await first.cut();
    publisher.publish('a', 'short', { qos: 1, properties: { messageExpiryInterval: 3 } });
    publisher.publish('a', 'forever', { qos: 1 });
    await publisher.receiveAll();
    await broker.advance(4_000);
    const second = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await second.expectMessage('a', 'forever');
    await second.expectNothing();
  });

  it('[MQTT-4.3.3-7] does not touch a QoS 2 message that was sent', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('a');
    publisher.publish('a', 'x', { qos: 2, packetId: 1, properties: { messageExpiryInterval: 3 } });
    await publisher.receive('pubrec');
    publisher.ack('pubrel', 1);
    const { packetId } = await first.expectMessage('a', 'x');
    await first.cut();
    await broker.advance(10_000);
    const second = await broker.connect('s', { cleanStart: false, properties: KEPT });
    expect(await second.expectMessage('a', 'x')).toMatchObject({ packetId, dup: true });
    second.ack('pubrec', packetId);
    await second.receive('pubrel');
    second.ack('pubcomp', packetId);
    await second.expectNothing();
  });

  it('[MQTT-4.3.3-13] an expired QoS 2 message still gets its PUBCOMP', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { properties: KEPT });
    await away.subscribe('a');
    await away.cut();
    publisher.publish('a', 'x', { qos: 2, packetId: 1, properties: { messageExpiryInterval: 1 } });
    await publisher.receive('pubrec');
    await broker.advance(3_000);
    publisher.ack('pubrel', 1);
    expect(await publisher.receive('pubcomp')).toMatchObject({ packetId: 1, reasonCode: 0 });
    await broker.advance(3_000);
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await back.expectNothing();
  });

  it('an interval of 0 expires at once for whoever is away', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { properties: KEPT });
    await away.subscribe('a');
    await away.cut();
    publisher.publish('a', 'x', { qos: 1, properties: { messageExpiryInterval: 0 } });
    await publisher.receive('puback');
    await broker.advance(1_000);
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await back.expectNothing();
  });
});
