// MQTT 3.1.1, 3.1.2.4: clean session, and what CONNACK says of it (3.2.2.2).

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../harness/index.ts';
import { connect, KEPT } from './clients.ts';

describe('clean session 0', () => {
  it('[MQTT-3.1.2-4] [MQTT-3.2.2-3] [MQTT-4.1.0-1] begins a session that outlives its connection', async () => {
    const broker = startTestBroker();
    const first = await connect(broker, 'c', KEPT);
    expect(first.connack).toMatchObject({ sessionPresent: false, reasonCode: 0 });
    await first.subscribe('a');
    await first.disconnect();
    await broker.advance(30 * 24 * 3600 * 1000);
    const second = await connect(broker, 'c', KEPT);
    expect(second.connack).toMatchObject({ sessionPresent: true });
    second.publish('a', 'x');
    expect(await second.takeMessages(1)).toEqual(['x']);
  });

  it('[MQTT-3.1.2-4] [MQTT-3.2.2-2] resumes it however the connection ended', async () => {
    const broker = startTestBroker();
    const first = await connect(broker, 'c', KEPT);
    await first.subscribe('a');
    await first.cut();
    const second = await connect(broker, 'c', KEPT);
    expect(second.connack?.sessionPresent).toBe(true);
    second.sendBytes('00 00');
    await second.expectClosed();
    const third = await connect(broker, 'c', KEPT);
    expect(third.connack?.sessionPresent).toBe(true);
    const fourth = await connect(broker, 'c', KEPT);
    expect(fourth.connack?.sessionPresent).toBe(true);
    await third.expectClosed();
    fourth.publish('a', 'x');
    expect(await fourth.takeMessages(1)).toEqual(['x']);
  });

  it('[MQTT-3.1.2-5] QoS 1 and 2 messages that come meanwhile are kept for it', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const first = await connect(broker, 's', KEPT);
    await first.subscribe('a');
    await first.disconnect();
    for (const qos of [1, 2] as const) await publisher.deliver('a', `${qos}`, { qos });
    const second = await connect(broker, 's', KEPT);
    const messages = await second.receiveAll();
    expect(messages).toMatchObject([
      { type: 'publish', qos: 1, dup: false },
      { type: 'publish', qos: 2, dup: false },
    ]);
  });

  it('[MQTT-4.1.0-1] [MQTT-4.1.0-2] subscription and open messages are there for as long as the connection lives', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await connect(broker, 's', KEPT), await connect(broker, 'p')];
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'open');
    await subscriber.expectMessage('a', 'open');
    await broker.advance(365 * 24 * 3600 * 1000);
    await publisher.deliver('a', 'later');
    await subscriber.expectMessage('a', 'later');
    await subscriber.cut();
    const again = await connect(broker, 's', KEPT);
    await again.expectMessage('a', 'open');
    await again.expectMessage('a', 'later');
  });
});

describe('clean session 1', () => {
  it('[MQTT-3.1.2-6] [MQTT-3.1.4-3] [MQTT-3.2.2-1] uses nothing older', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const first = await connect(broker, 'c', KEPT);
    await first.subscribe('a');
    await first.disconnect();
    await publisher.deliver('a', 'queued');
    const second = await connect(broker, 'c');
    expect(second.connack).toMatchObject({ sessionPresent: false, reasonCode: 0 });
    await publisher.deliver('a', 'new');
    await second.expectNothing();
  });

  it('[MQTT-3.1.2-6] [MQTT-3.1.4-3] leaves nothing behind', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const first = await connect(broker, 'c');
    await first.subscribe('a');
    await publisher.deliver('a', 'open');
    await first.expectMessage('a', 'open');
    await first.disconnect();
    await publisher.deliver('a', 'meanwhile');
    const second = await connect(broker, 'c', KEPT);
    expect(second.connack?.sessionPresent).toBe(false);
    await publisher.deliver('a', 'new');
    await second.expectNothing();
  });

  it('[MQTT-3.1.2-6] ends even the session that a connection has right now', async () => {
    const broker = startTestBroker();
    const first = await connect(broker, 'c', KEPT);
    await first.subscribe('a');
    const second = await connect(broker, 'c');
    expect(second.connack?.sessionPresent).toBe(false);
    await first.expectClosed();
    await second.deliver('a', 'x');
    await second.expectNothing();
  });

  it('[MQTT-3.1.2-7] takes retained messages away from nobody', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    await publisher.deliver('a', 'x', { retain: true });
    await publisher.disconnect();
    await connect(broker, 'p');
    const late = await connect(broker, 'late');
    await late.subscribe('a');
    await late.expectMessage('a', 'x');
  });

  it('[MQTT-4.1.0-2] clean or not, the session lives as long as its connection', async () => {
    const broker = startTestBroker();
    const client = await connect(broker, 'c');
    await client.subscribe('a');
    await broker.advance(365 * 24 * 3600 * 1000);
    client.publish('a', 'x');
    expect(await client.takeMessages(1)).toEqual(['x']);
  });
});

describe('taking over', () => {
  it('[MQTT-3.1.4-2] the connection that was there ends, bare, and no other', async () => {
    const broker = startTestBroker();
    const bystander = await connect(broker, 'bystander');
    const first = await connect(broker, 'c');
    const second = await connect(broker, 'c');
    await first.expectClosed();
    await second.ping();
    await bystander.ping();
  });

  it('[MQTT-3.1.4-2] a CONNECT that is refused takes nothing over', async () => {
    const broker = startTestBroker({ rules: ['allow all ok'] });
    const first = await connect(broker, 'c');
    const second = broker.open(4);
    const forbidden = {
      topic: 'secret' as never,
      payload: new Uint8Array(0),
      qos: 0,
      retain: false,
      properties: {},
    } as const;
    expect((await second.connect('c', { will: forbidden })).reasonCode).toBe(5);
    await first.ping();
  });
});
