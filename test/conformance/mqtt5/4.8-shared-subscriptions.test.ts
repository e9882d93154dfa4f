// MQTT 5.0, 4.8.2: shared subscriptions.

import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker, type TestBroker } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

async function members(
  broker: TestBroker,
  count: number,
  filter = '$share/g/a',
  qos: 0 | 1 | 2 = 2,
): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  for (let n = 0; n < count; n++) {
    const client = await broker.connect(`m${n}`, { properties: KEPT });
    await client.subscribe({ filter, qos });
    clients.push(client);
  }
  return clients;
}

describe('the grammar', () => {
  it.each(['$share/g/a', '$share/g/#', '$share/group-1/+/b', '$share/g//a', '$share/$x/a', '$share/g/ '])(
    '"%s" is a shared filter',
    async (filter) => {
      const client = await startTestBroker().connect('c');
      expect((await client.subscribe(filter)).reasonCodes).toEqual([2]);
    },
  );

  it.each(['$share/', '$share//a', '$share/g', '$share/g/', '$share/g/a#', '$share/g/#/b'])(
    '[MQTT-4.8.2-1] [MQTT-4.8.2-2] "%s" is not',
    async (filter) => {
      const client = await startTestBroker().connect('c');
      expect((await client.subscribe([filter, 'ok'])).reasonCodes).toEqual([0x8f, 2]);
    },
  );

  it.each(['$share/g+/a', '$share/+/a', '$share/#/a', '$share/g#/a'])('[MQTT-4.8.2-2] "%s" is not', async (filter) => {
    const client = await startTestBroker().connect('c');
    expect((await client.subscribe([filter, 'ok'])).reasonCodes).toEqual([0x8f, 2]);
  });

  it('a message published to a topic that looks like one is just a message', async () => {
    const broker = startTestBroker();
    const [member] = await members(broker, 1);
    const publisher = await broker.connect('p');
    publisher.publish('$share/g/a', 'x');
    await publisher.receiveAll();
    await member?.expectNothing();
  });
});

describe('delivery', () => {
  it('each message goes to one member of each group, and to every other subscriber', async () => {
    const broker = startTestBroker();
    const clients = await members(broker, 3);
    const [single, plain, publisher] = [
      await broker.connect('h'),
      await broker.connect('n'),
      await broker.connect('p'),
    ];
    await single.subscribe('$share/h/a');
    await plain.subscribe('a');
    const sent = Array.from({ length: 30 }, (_, n) => String(n));
    for (const payload of sent) await publisher.deliver('a', payload);
    const shares: string[][] = [];
    for (const client of clients) {
      const packets = await client.receiveAll();
      shares.push(
        packets.map((packet) => (packet.type === 'publish' ? new TextDecoder().decode(packet.payload) : '?')),
      );
    }
    expect(
      shares
        .flat()
        .map(Number)
        .sort((a, b) => a - b)
        .map(String),
    ).toEqual(sent);
    // Balanced: nobody acknowledges, so the fewest in flight gets the next.
    expect(shares.map((share) => share.length)).toEqual([10, 10, 10]);
    expect(await single.takeMessages(30)).toEqual(sent);
    expect(await plain.takeMessages(30)).toEqual(sent);
  });

  it('[MQTT-4.8.2-3] each member gets it at its own granted QoS', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    for (const qos of [0, 1, 2] as const) {
      const client = await broker.connect(`m${qos}`);
      await client.subscribe({ filter: '$share/g/a', qos });
      await publisher.deliver('a', 'x', { qos: 2 });
      const message = await client.expectMessage('a', 'x');
      expect(message.qos).toBe(qos);
      await client.disconnect();
    }
  });

  it('a member with a full window is passed over', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const slow = await broker.connect('slow', { properties: { receiveMaximum: 1 } });
    const fast = await broker.connect('fast');
    await slow.subscribe('$share/g/a');
    await fast.subscribe('$share/g/a');
    for (let n = 0; n < 10; n++) await publisher.deliver('a', String(n));
    expect((await slow.receiveAll()).length).toBe(1);
    expect((await fast.takeMessages(9)).length).toBe(9);
  });

  it('a member that is away is passed over while another is there', async () => {
    const broker = startTestBroker();
    const [gone, here] = await members(broker, 2);
    const publisher = await broker.connect('p');
    await gone?.cut();
    for (let n = 0; n < 4; n++) await publisher.deliver('a', String(n));
    expect(await here?.takeMessages(4)).toEqual(['0', '1', '2', '3']);
    await (await broker.connect('m0', { cleanStart: false, properties: KEPT })).expectNothing();
  });

  it('with nobody there the message waits for a member', async () => {
    const broker = startTestBroker();
    const [one] = await members(broker, 1);
    const publisher = await broker.connect('p');
    await one?.cut();
    expect(await publisher.deliver('a', 'x')).toBe(0);
    await (await broker.connect('m0', { cleanStart: false, properties: KEPT })).expectMessage('a', 'x');
  });

  it('MQTT 3 clients share too', async () => {
    const broker = startTestBroker();
    const [publisher, old] = [await broker.connect('p'), await broker.connect('old', { version: 4 })];
    const [member] = await members(broker, 1);
    expect((await old.subscribe('$share/g/a')).reasonCodes).toEqual([2]);
    for (let n = 0; n < 10; n++) await publisher.deliver('a', String(n));
    const counts = [(await old.receiveAll()).length, (await (member as RawClient).receiveAll()).length];
    expect(counts).toEqual([5, 5]);
  });

  it('the right to the filter behind it decides', async () => {
    const broker = startTestBroker({ rules: ['allow all open/#'] });
    const client = await broker.connect('c');
    expect((await client.subscribe(['$share/g/open/a', '$share/g/secret', '$share/g/#'])).reasonCodes).toEqual([
      2, 0x87, 0x87,
    ]);
  });
});

describe('a member that leaves with messages', () => {
  it('[MQTT-4.8.2-4] a QoS 2 message that was sent to it is completed with it when it comes back', async () => {
    const broker = startTestBroker();
    const [owner] = await members(broker, 1);
    const publisher = await broker.connect('p');
    await publisher.deliver('a', 'x', { qos: 2 });
    const { packetId } = await (owner as RawClient).expectMessage('a', 'x');
    const other = await broker.connect('other');
    await other.subscribe('$share/g/a');
    await owner?.cut();
    await broker.advance(10_000);
    await other.expectNothing();
    const again = await broker.connect('m0', { cleanStart: false, properties: KEPT });
    expect(await again.expectMessage('a', 'x')).toMatchObject({ packetId, dup: true });
    again.ack('pubrec', packetId);
    await again.receive('pubrel');
    again.ack('pubcomp', packetId);
    await other.expectNothing();
  });

  it('[MQTT-4.8.2-5] a QoS 2 message that was sent to it goes to nobody when its session ends', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const owner = await broker.connect('m', { properties: { sessionExpiryInterval: 5 } });
    await owner.subscribe('$share/g/a');
    await publisher.deliver('a', 'x', { qos: 2 });
    await owner.expectMessage('a', 'x');
    const other = await broker.connect('other');
    await other.subscribe('$share/g/a');
    await owner.cut();
    await broker.advance(10_000);
    await other.expectNothing();
  });

  it('a QoS 1 message that it did not acknowledge goes to another member when its session ends', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const owner = await broker.connect('m');
    await owner.subscribe('$share/g/a');
    await publisher.deliver('a', 'x', { qos: 1 });
    await owner.expectMessage('a', 'x');
    const other = await broker.connect('other');
    await other.subscribe('$share/g/a');
    await owner.cut();
    await broker.advance(1_000);
    await other.expectMessage('a', 'x');
  });

  it.each([
    ['PUBACK', 1],
    ['PUBREC', 2],
  ] as const)('[MQTT-4.8.2-6] a %s that refuses ends the message: nobody else gets it', async (_name, qos) => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const [owner] = await members(broker, 1);
    const client = owner as RawClient;
    await publisher.deliver('a', 'x', { qos });
    const { packetId } = await client.expectMessage('a', 'x');
    const other = await broker.connect('other');
    await other.subscribe('$share/g/a');
    client.ack(qos === 1 ? 'puback' : 'pubrec', packetId, 0x80);
    await client.cut();
    await broker.advance(601_000);
    await other.expectNothing();
  });
});
