// MQTT 5.0, 3.1.2.5 to 3.1.2.7, 3.1.3.2 and 3.14.4: what becomes of a will, on a clock that the test owns.

import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker, type TestBroker, will } from '../../harness/index.ts';

const NEVER = 0xffff_ffff;

async function watcherOf(broker: TestBroker): Promise<RawClient> {
  const watcher = await broker.connect('watcher');
  await watcher.subscribe('w/#');
  return watcher;
}

describe('a will is published', () => {
  it('[MQTT-3.1.2-7] [MQTT-3.1.2-8] when the network fails, with all that was given', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const properties = {
      payloadFormatIndicator: 1,
      contentType: 'text/plain',
      responseTopic: 'r/1',
      correlationData: Uint8Array.of(1, 2, 3),
      userProperty: [['a', '1']] as const,
    };
    const client = await broker.connect('c', { will: will('w/1', 'gone', { qos: 1, properties }) });
    await client.cut();
    const message = await watcher.expectMessage('w/1', 'gone');
    expect(message).toMatchObject({ qos: 1, retain: false });
    expect(message.properties).toEqual({ ...properties, correlationData: expect.anything() });
    expect([...(message.properties.correlationData ?? [])]).toEqual([1, 2, 3]);
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.2-8] when the client breaks the protocol', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const client = await broker.connect('c', { will: will('w/1', 'gone') });
    client.sendBytes('00 00');
    await watcher.expectMessage('w/1', 'gone');
  });

  it('[MQTT-3.1.0-2] when the client sends a second CONNECT', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const client = await broker.connect('c', { will: will('w/1', 'gone') });
    client.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties: {} });
    await watcher.expectMessage('w/1', 'gone');
  });

  it('[MQTT-3.1.2-8] when the client disconnects with 0x04, or with an error', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    for (const code of [0x04, 0x80]) {
      const client = await broker.connect('c', { will: will('w/1', 'gone') });
      await client.disconnect(code);
      await watcher.expectMessage('w/1', 'gone');
    }
  });

  it('[MQTT-3.1.2-8] when the client is taken over and the session ends with it', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const first = await broker.connect('c', { will: will('w/1', 'gone', { properties: { willDelayInterval: 60 } }) });
    await broker.connect('c', { cleanStart: true });
    await first.expectDisconnected('session-taken-over');
    await watcher.expectMessage('w/1', 'gone');
  });

  it('[MQTT-3.1.2-22] when the keep-alive ends', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const client = await broker.connect('c', { keepAlive: 2, will: will('w/1', 'gone') });
    await broker.advance(4_000);
    await client.expectDisconnected('keep-alive-timeout');
    await watcher.expectMessage('w/1', 'gone');
  });

  it.each([0, 1, 2] as const)('[MQTT-3.1.2-12] with QoS %i', async (qos) => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const client = await broker.connect('c', { will: will('w/1', 'gone', { qos }) });
    await client.cut();
    expect((await watcher.expectMessage('w/1', 'gone')).qos).toBe(qos);
  });

  it('[MQTT-3.1.2-14] as a message that is not retained', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { will: will('w/1', 'gone') });
    await client.cut();
    const late = await watcherOf(broker);
    await late.expectNothing();
  });

  it('[MQTT-3.1.2-15] as a retained message', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { will: will('w/1', 'gone', { retain: true }) });
    await client.cut();
    const late = await watcherOf(broker);
    expect((await late.expectMessage('w/1', 'gone')).retain).toBe(true);
  });

  it('[MQTT-3.1.3-10] with its user properties in their order', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const userProperty = [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
      ['', ''],
    ] as const;
    const client = await broker.connect('c', { will: will('w/1', 'gone', { properties: { userProperty } }) });
    await client.cut();
    expect((await watcher.expectMessage('w/1', 'gone')).properties.userProperty).toEqual(userProperty);
  });
});

describe('a will is not published', () => {
  it('[MQTT-3.14.4-3] [MQTT-3.1.2-10] after DISCONNECT with 0x00, in both its forms', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const one = await broker.connect('c', { will: will('w/1', 'gone') });
    await one.disconnect(0);
    const other = await broker.connect('c', { will: will('w/1', 'gone') });
    other.sendBytes('e0 00');
    await other.expectClosed();
    const third = await broker.connect('c', { will: will('w/1', 'gone') });
    third.sendBytes('e0 02 00 00');
    await third.expectClosed();
    await broker.advance(60_000);
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.2-10] a second time by a later connection without a will', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const properties = { sessionExpiryInterval: NEVER };
    const first = await broker.connect('c', { properties, will: will('w/1', 'gone') });
    await first.cut();
    await watcher.expectMessage('w/1', 'gone');
    const second = await broker.connect('c', { cleanStart: false, properties });
    await second.cut();
    await broker.advance(60_000);
    await watcher.expectNothing();
  });

  it('while the client is connected', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    await broker.connect('c', { will: will('w/1', 'gone') });
    await broker.advance(3_600_000);
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.4-2] if the CONNECT was refused', async () => {
    const broker = startTestBroker({ rules: ['allow all w/#', 'deny publish w/forbidden'] });
    const watcher = await watcherOf(broker);
    const client = broker.open();
    client.send({
      type: 'connect',
      version: 5,
      clientId: 'c',
      cleanStart: true,
      keepAlive: 0,
      will: will('w/forbidden', 'gone'),
      properties: {},
    });
    await client.expectRefused('not-authorized');
    await broker.advance(10_000);
    await watcher.expectNothing();
  });
});

describe('will delay', () => {
  const delayed = (seconds: number) => will('w/1', 'gone', { properties: { willDelayInterval: seconds } });

  it('[MQTT-3.1.2-8] holds the will back for its time and no longer', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const client = await broker.connect('c', { properties: { sessionExpiryInterval: 60 }, will: delayed(5) });
    await client.cut();
    await broker.advance(4_000);
    await watcher.expectNothing();
    await broker.advance(2_000);
    await watcher.expectMessage('w/1', 'gone');
    await broker.advance(60_000);
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.2-8] ends with the session if that ends first', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const short = await broker.connect('c', { properties: { sessionExpiryInterval: 3 }, will: delayed(60) });
    await short.cut();
    await broker.advance(2_000);
    await watcher.expectNothing();
    await broker.advance(2_000);
    await watcher.expectMessage('w/1', 'gone');
    const none = await broker.connect('d', { will: delayed(60) });
    await none.cut();
    await watcher.expectMessage('w/1', 'gone');
  });

  it('[MQTT-3.1.3-9] is called off when the client comes back to its session in time', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const properties = { sessionExpiryInterval: 60 };
    const first = await broker.connect('c', { properties, will: delayed(5) });
    await first.cut();
    await broker.advance(4_000);
    const second = await broker.connect('c', { cleanStart: false, properties });
    expect(second.connack?.sessionPresent).toBe(true);
    await broker.advance(60_000);
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.3-9] is called off also by a take-over that goes on with the session', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const properties = { sessionExpiryInterval: 60 };
    const first = await broker.connect('c', { properties, will: delayed(5) });
    await broker.connect('c', { cleanStart: false, properties });
    await first.expectDisconnected('session-taken-over');
    await broker.advance(60_000);
    await watcher.expectNothing();
  });

  it('publishes at once when the session is discarded by a clean start', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const first = await broker.connect('c', { properties: { sessionExpiryInterval: 600 }, will: delayed(300) });
    await first.cut();
    await watcher.expectNothing();
    await broker.connect('c', { cleanStart: true });
    await watcher.expectMessage('w/1', 'gone');
  });

  it('counts the expiry of the will message from its publication', async () => {
    const broker = startTestBroker();
    const watcher = await watcherOf(broker);
    const properties = { willDelayInterval: 5, messageExpiryInterval: 3 };
    const client = await broker.connect('c', {
      properties: { sessionExpiryInterval: 60 },
      will: will('w/1', 'gone', { properties }),
    });
    await client.cut();
    await broker.advance(6_000);
    const message = await watcher.expectMessage('w/1', 'gone');
    expect(message.properties.messageExpiryInterval).toBe(3);
    expect(message.properties).not.toHaveProperty('willDelayInterval');
  });
});
