// A clock that is set back and forth (NTP, a dead battery, an attacker on the time server): nobody loses a session, a will or a message
// that is not due, and everything that is due happens once.

import { describe, expect, it } from 'vitest';
import { startTestBroker, will } from '../harness/index.ts';

const HOUR = 3_600_000;
const JUMPS = [HOUR, -HOUR, -HOUR, HOUR, 2 * HOUR, -2 * HOUR];

describe('a wall clock that jumps by hours while things wait', () => {
  it('sessions end after the time that passed, not the time that was set', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { properties: { sessionExpiryInterval: 600 } });
    await client.subscribe({ filter: 'a', qos: 1 });
    await client.cut();
    for (const jump of JUMPS) {
      broker.clock.setBack(-jump);
      await broker.advance(50_000);
    }
    const back = await broker.connect('c', { cleanStart: false, properties: { sessionExpiryInterval: 600 } });
    expect(back.connack?.sessionPresent).toBe(true);
    await back.cut();
    for (const jump of JUMPS) {
      broker.clock.setBack(-jump);
      await broker.advance(101_000);
    }
    const late = await broker.connect('c', { cleanStart: false });
    expect(late.connack?.sessionPresent).toBe(false);
  });

  it('a delayed will goes out once, after its delay', async () => {
    const broker = startTestBroker();
    const watcher = await broker.connect('w');
    await watcher.subscribe('gone');
    const client = await broker.connect('c', {
      properties: { sessionExpiryInterval: 7_200 },
      will: will('gone', 'x', { properties: { willDelayInterval: 300 } }),
    });
    await client.cut();
    for (const jump of JUMPS) {
      broker.clock.setBack(-jump);
      await broker.advance(40_000);
    }
    await watcher.expectNothing();
    await broker.advance(65_000);
    await watcher.expectMessage('gone', 'x');
    for (const jump of JUMPS) {
      broker.clock.setBack(-jump);
      await broker.advance(100_000);
    }
    await watcher.expectNothing();
  });

  it('a message without expiry stays whatever the clock says, in a queue and retained', async () => {
    const broker = startTestBroker();
    const away = await broker.connect('away', { properties: { sessionExpiryInterval: 0xffff_ffff } });
    await away.subscribe({ filter: 'a', qos: 1 });
    await away.cut();
    const publisher = await broker.connect('p');
    for (let n = 0; n < 10; n++) await publisher.deliver('a', `${n}`, { retain: true });
    for (const jump of JUMPS) {
      broker.clock.setBack(-jump);
      await broker.advance(1_000);
    }
    const back = await broker.connect('away', { cleanStart: false, properties: { sessionExpiryInterval: 600 } });
    expect(await back.takeMessages(10)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    const late = await broker.connect('late');
    await late.subscribe('a');
    await late.expectMessage('a', '9');
  });

  it('[MQTT-3.3.2-6] a message from a queue never goes out with more time than its publisher gave it', async () => {
    const broker = startTestBroker();
    const away = await broker.connect('away', { properties: { sessionExpiryInterval: 0xffff_ffff } });
    await away.subscribe({ filter: 'a', qos: 1 });
    await away.cut();
    const publisher = await broker.connect('p');
    await publisher.deliver('a', 'x', { properties: { messageExpiryInterval: 100 } });
    broker.clock.setBack(HOUR);
    await broker.advance(0);
    const back = await broker.connect('away', { cleanStart: false });
    const { properties } = await back.expectMessage('a', 'x');
    expect(properties.messageExpiryInterval).toBe(100);
  });

  it.each([
    ['back', [HOUR, 0]],
    ['back and forth', [HOUR, -HOUR]],
    ['back by less than it waits', [5_000, 0]],
  ])('[MQTT-3.3.2-6] set %s, what waited has what it was given minus the time', async (_how, jumps) => {
    const broker = startTestBroker();
    const away = await broker.connect('away', { properties: { sessionExpiryInterval: 0xffff_ffff } });
    await away.subscribe({ filter: 'queued', qos: 1 });
    await away.cut();
    const [publisher, listener] = [await broker.connect('p'), await broker.connect('l')];
    await listener.subscribe({ filter: 'released', qos: 1 });
    const properties = { messageExpiryInterval: 100 };
    await publisher.deliver('queued', 'x', { properties });
    await publisher.deliver('retained', 'x', { properties, retain: true });
    const packetId = publisher.publish('released', 'x', { properties, qos: 2 });
    await publisher.receive('pubrec');
    for (const jump of jumps) {
      broker.clock.setBack(jump);
      await broker.advance(20_000);
    }
    const left: unknown[] = [];
    publisher.ack('pubrel', packetId);
    left.push((await listener.expectMessage('released', 'x')).properties);
    const back = await broker.connect('away', { cleanStart: false });
    left.push((await back.expectMessage('queued', 'x')).properties);
    await back.subscribe({ filter: 'retained', qos: 1 });
    left.push((await back.expectMessage('retained', 'x')).properties);
    expect(left).toEqual([60, 60, 60].map((messageExpiryInterval) => ({ messageExpiryInterval })));
  });

  it('[MQTT-3.3.2-5] what is over is over, though the clock was set back', async () => {
    const broker = startTestBroker();
    const away = await broker.connect('away', { properties: { sessionExpiryInterval: 0xffff_ffff } });
    await away.subscribe({ filter: 'queued', qos: 1 });
    await away.cut();
    const publisher = await broker.connect('p');
    for (const topic of ['queued', 'retained'])
      await publisher.deliver(topic, 'x', { properties: { messageExpiryInterval: 100 }, retain: topic === 'retained' });
    broker.clock.setBack(HOUR);
    await broker.advance(101_000);
    const back = await broker.connect('away', { cleanStart: false });
    await back.subscribe('retained');
    await back.expectNothing();
    expect(broker.counters.messagesExpired).toBe(2);
  });

  it('connections live on: neither keep alive nor a deadline runs by the clock that was set', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { keepAlive: 60 });
    const silent = broker.open(5);
    for (const jump of [...JUMPS, 24 * HOUR, -48 * HOUR]) {
      broker.clock.setBack(-jump);
      await broker.advance(500);
      await client.ping();
      expect(silent.closed).toBe(false);
    }
    await broker.advance(91_000);
    await client.expectDisconnected('keep-alive-timeout');
  });

  it('[MQTT-3.3.2-6] an expiry that was met by a jump is right again once the clock is', async () => {
    const broker = startTestBroker();
    const away = await broker.connect('away', { properties: { sessionExpiryInterval: 0xffff_ffff } });
    await away.subscribe({ filter: 'a', qos: 1 });
    await away.cut();
    const publisher = await broker.connect('p');
    await publisher.deliver('a', 'x', { properties: { messageExpiryInterval: 100 } });
    broker.clock.setBack(HOUR);
    await broker.advance(0);
    await broker.advance(1_000);
    broker.clock.setBack(-HOUR);
    await broker.advance(0);
    const back = await broker.connect('away', { cleanStart: false, properties: { sessionExpiryInterval: 600 } });
    const packet = await back.receive('publish');
    expect(packet.properties.messageExpiryInterval).toBe(99);
  });
});
