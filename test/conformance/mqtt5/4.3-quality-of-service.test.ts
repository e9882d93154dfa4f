// MQTT 5.0, 4.3: the three delivery protocols, with the broker as sender and as receiver.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

describe('QoS 0', () => {
  it('[MQTT-4.3.1-1] is sent once, without identifier and DUP, and asks for nothing', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s', { properties: KEPT }), await broker.connect('p')];
    await subscriber.subscribe({ filter: 'a', qos: 0 });
    await publisher.deliver('a', 'x', { qos: 1 });
    expect(await subscriber.expectMessage('a', 'x')).toMatchObject({ qos: 0, dup: false, packetId: 0 });
    await subscriber.cut();
    const again = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await again.expectNothing();
  });
});

describe('QoS 1, the broker sends', () => {
  it('[MQTT-4.3.2-1] [MQTT-4.3.2-2] with an unused identifier and DUP 0', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe({ filter: 'a', qos: 1 });
    const open = new Set<number>();
    for (let n = 0; n < 6; n++) {
      await publisher.deliver('a', String(n));
      const message = await subscriber.expectMessage('a', String(n));
      expect(message).toMatchObject({ qos: 1, dup: false });
      expect(open.has(message.packetId)).toBe(false);
      open.add(message.packetId);
      if (n % 2 === 0) continue;
      subscriber.ack('puback', message.packetId);
      open.delete(message.packetId);
    }
  });

  it('[MQTT-4.3.2-3] [MQTT-4.4.0-1] and again after a reconnect until PUBACK comes, not otherwise', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe({ filter: 'a', qos: 1 });
    await publisher.deliver('a', 'x');
    const { packetId } = await first.expectMessage('a', 'x');
    await broker.advance(3_600_000);
    await first.expectNothing();
    await first.cut();
    const second = await broker.connect('s', { cleanStart: false, properties: KEPT });
    expect(await second.expectMessage('a', 'x')).toMatchObject({ packetId, dup: true, qos: 1 });
    second.ack('puback', packetId);
    await second.cut();
    const third = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await third.expectNothing();
  });
});

describe('QoS 1, the broker receives', () => {
  it('[MQTT-4.3.2-4] answers with PUBACK when it has taken the message over: it reaches everyone without the publisher', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { properties: KEPT });
    await away.subscribe('a');
    await away.cut();
    publisher.publish('a', 'x', { qos: 1, packetId: 3 });
    expect(await publisher.receive('puback')).toMatchObject({ packetId: 3 });
    await publisher.cut();
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await back.expectMessage('a', 'x');
  });

  it('[MQTT-4.3.2-5] after PUBACK the same identifier is a new message, whatever DUP says', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'x', { packetId: 3 });
    await publisher.deliver('a', 'x', { packetId: 3, dup: true });
    expect(await subscriber.takeMessages(2)).toEqual(['x', 'x']);
    await subscriber.expectNothing();
  });
});

describe('QoS 2, the broker sends', () => {
  async function sent() {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const subscriber = await broker.connect('s', { properties: KEPT });
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'x', { qos: 2 });
    const message = await subscriber.expectMessage('a', 'x');
    const again = () => broker.connect('s', { cleanStart: false, properties: KEPT });
    return { broker, publisher, subscriber, message, packetId: message.packetId, again };
  }

  it('[MQTT-4.3.3-1] [MQTT-4.3.3-2] with an unused identifier and DUP 0', async () => {
    const { publisher, subscriber, message, packetId } = await sent();
    expect(message).toMatchObject({ qos: 2, dup: false });
    await publisher.deliver('a', 'y', { qos: 2 });
    expect((await subscriber.expectMessage('a', 'y')).packetId).not.toBe(packetId);
  });

  it('[MQTT-4.3.3-3] and again after a reconnect until PUBREC comes', async () => {
    const { broker, subscriber, packetId, again } = await sent();
    await broker.advance(3_600_000);
    await subscriber.expectNothing();
    await subscriber.cut();
    const second = await again();
    expect(await second.expectMessage('a', 'x')).toMatchObject({ packetId, dup: true, qos: 2 });
    await second.expectNothing();
  });

  it('[MQTT-4.3.3-4] answers PUBREC with PUBREL, and a PUBREC that refuses with nothing', async () => {
    const { publisher, subscriber, packetId } = await sent();
    subscriber.ack('pubrec', packetId);
    expect(await subscriber.receive('pubrel')).toMatchObject({ packetId, reasonCode: 0 });
    subscriber.ack('pubcomp', packetId);
    await publisher.deliver('a', 'y', { qos: 2 });
    const refused = await subscriber.expectMessage('a', 'y');
    subscriber.ack('pubrec', refused.packetId, 0x83);
    await subscriber.expectNothing();
  });

  it('[MQTT-4.3.3-5] [MQTT-4.3.3-6] after PUBREC only PUBREL is sent again, until PUBCOMP comes', async () => {
    const { subscriber, packetId, again } = await sent();
    subscriber.ack('pubrec', packetId);
    await subscriber.receive('pubrel');
    await subscriber.cut();
    const second = await again();
    expect(await second.receive('pubrel')).toMatchObject({ packetId });
    await second.expectNothing();
    await second.cut();
    const third = await again();
    expect(await third.receive('pubrel')).toMatchObject({ packetId });
    third.ack('pubcomp', packetId);
    await third.cut();
    await (await again()).expectNothing();
  });

  it('[MQTT-4.3.3-5] a second PUBREC gets PUBREL again', async () => {
    const { subscriber, packetId } = await sent();
    subscriber.ack('pubrec', packetId);
    await subscriber.receive('pubrel');
    subscriber.ack('pubrec', packetId);
    expect(await subscriber.receive('pubrel')).toMatchObject({ packetId });
  });
});

describe('QoS 2, the broker receives', () => {
  it('[MQTT-4.3.3-8] answers with PUBREC when it has taken the message over: the publisher may come back for PUBREL', async () => {
    const broker = startTestBroker();
    const subscriber = await broker.connect('s');
    await subscriber.subscribe('a');
    const first = await broker.connect('p', { properties: KEPT });
    first.publish('a', 'x', { qos: 2, packetId: 3 });
    expect(await first.receive('pubrec')).toMatchObject({ packetId: 3 });
    await first.cut();
    const second = await broker.connect('p', { cleanStart: false, properties: KEPT });
    second.ack('pubrel', 3);
    expect(await second.receive('pubcomp')).toMatchObject({ packetId: 3, reasonCode: 0 });
    expect(await subscriber.takeMessages(1)).toEqual(['x']);
  });

  it('[MQTT-4.3.3-9] after a PUBREC that refuses the identifier is free', async () => {
    const broker = startTestBroker({ rules: ['allow all #', 'deny publish secret'] });
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('#');
    publisher.publish('secret', 'x', { qos: 2, packetId: 3 });
    expect((await publisher.receive('pubrec')).reasonCode).toBe(0x87);
    expect(await publisher.deliver('open', 'y', { qos: 2, packetId: 3 })).toBe(0);
    expect(await subscriber.takeMessages(1)).toEqual(['y']);
    await subscriber.expectNothing();
  });

  it('[MQTT-4.3.3-10] a second PUBLISH before PUBREL gets PUBREC and is not delivered', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    for (const dup of [false, true, true]) {
      publisher.publish('a', 'x', { qos: 2, packetId: 3, dup });
      expect(await publisher.receive('pubrec')).toMatchObject({ packetId: 3 });
    }
    publisher.ack('pubrel', 3);
    await publisher.receive('pubcomp');
    expect(await subscriber.takeMessages(1)).toEqual(['x']);
    await subscriber.expectNothing();
  });

  it('[MQTT-4.3.3-11] PUBREL gets PUBCOMP with its identifier, each time', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    publisher.publish('a', 'x', { qos: 2, packetId: 3 });
    await publisher.receive('pubrec');
    for (const code of [0x00, 0x92]) {
      publisher.ack('pubrel', 3);
      expect(await publisher.receive('pubcomp')).toMatchObject({ packetId: 3, reasonCode: code });
    }
    expect(await subscriber.takeMessages(1)).toEqual(['x']);
    await subscriber.expectNothing();
  });

  it('[MQTT-4.3.3-12] after PUBCOMP the same identifier is a new message', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    await subscriber.subscribe('a');
    await publisher.deliver('a', 'x', { qos: 2, packetId: 3 });
    await publisher.deliver('a', 'x', { qos: 2, packetId: 3, dup: true });
    expect(await subscriber.takeMessages(2)).toEqual(['x', 'x']);
  });
});
