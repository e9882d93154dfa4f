// MQTT 5.0, 3.1.2.10 and 3.2.2.3.14: silence ends a connection after one and a half times the keep-alive.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../harness/index.ts';

describe('keep alive', () => {
  it('[MQTT-3.1.2-22] [MQTT-3.2.2-22] closes after one and a half times the interval of CONNECT, not before', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { keepAlive: 10 });
    expect(client.connack?.properties.serverKeepAlive).toBeUndefined();
    await broker.advance(14_900);
    await client.expectNothing();
    await broker.advance(1_500);
    await client.expectDisconnected('keep-alive-timeout');
  });

  it('[MQTT-3.1.2-22] starts over with every packet, whatever it is', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { keepAlive: 10 });
    await broker.advance(14_000);
    await client.ping();
    await broker.advance(14_000);
    client.publish('a', 'x');
    await broker.advance(14_000);
    await client.subscribe('a');
    await broker.advance(14_000);
    client.ack('puback', 4711);
    await broker.advance(14_000);
    await client.expectNothing();
    await broker.advance(3_000);
    await client.expectDisconnected('keep-alive-timeout');
  });

  it('[MQTT-3.1.2-22] is not extended by what the broker sends, nor by half a packet', async () => {
    const broker = startTestBroker({ limits: { partialPacketDeadlineMs: 3_600_000 } });
    const [client, publisher] = [await broker.connect('c', { keepAlive: 10 }), await broker.connect('p')];
    await client.subscribe('a');
    await broker.advance(10_000);
    publisher.publish('a', 'x');
    await client.expectMessage('a', 'x');
    client.sendBytes('30');
    await broker.advance(6_500);
    await client.expectDisconnected('keep-alive-timeout');
    await publisher.ping();
  });

  it('0 turns it off', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { keepAlive: 0 });
    if (client.connack?.properties.serverKeepAlive !== undefined) return;
    await broker.advance(24 * 3_600_000);
    await client.ping();
  });

  it.each([0, 600])(
    '[MQTT-3.2.2-22] a limit of the broker is told as Server Keep Alive and holds (asked: %i)',
    async (asked) => {
      const broker = startTestBroker({ limits: { keepAliveSecondsMax: 60 } });
      const client = await broker.connect('c', { keepAlive: asked });
      expect(client.connack?.properties.serverKeepAlive).toBe(60);
      await broker.advance(89_000);
      await client.expectNothing();
      await broker.advance(2_500);
      await client.expectDisconnected('keep-alive-timeout');
    },
  );
});
