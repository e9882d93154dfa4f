// Bounds of a role on how fast its holders publish: who is beyond them is refused or read later, as the role says.

import { describe, expect, it } from 'vitest';
import { because } from '../../../../test/harness/because.ts';
import { type RawClient, startTestBroker } from '../../../../test/harness/index.ts';

/** Answers of a client that publishes with QoS 1, as fast as it can. */
async function reasons(client: RawClient, count: number): Promise<number[]> {
  for (let n = 0; n < count; n++) client.publish('t', `${n}`, { qos: 1 });
  const codes: number[] = [];
  for (let n = 0; n < count; n++) codes.push((await client.receive('puback')).reasonCode);
  return codes;
}

describe('beyond its rate', () => {
  it('a publisher is refused where the role says so, and taken again when time has passed', async () => {
    const broker = startTestBroker();
    broker.access.bound({ messagesPerSecond: 5, beyondRate: 'refuse' });
    const client = await broker.connect('c');
    expect(await reasons(client, 8)).toEqual([0x10, 0x10, 0x10, 0x10, 0x10, 0x97, 0x97, 0x97]);
    expect(because(broker)).toContain('role test allows 5 messages a second, and more came');
    await broker.advance(1_000);
    expect((await reasons(client, 6)).filter((code) => code === 0x10)).toHaveLength(5);
  });

  it('a publisher is not read for a while, loses nothing, and is said to be slowed once', async () => {
    const broker = startTestBroker();
    broker.access.bound({ messagesPerSecond: 10 });
    const [publisher, subscriber] = [await broker.connect('p', { keepAlive: 1 }), await broker.connect('s')];
    await subscriber.subscribe({ filter: 't', qos: 0 });
    for (let n = 0; n < 40; n++) publisher.publish('t', `${n}`);
    expect(await subscriber.takeMessages(11)).toHaveLength(11);
    await subscriber.expectNothing();
    // Longer than its keep-alive: it is not the one who is silent.
    let got = 11;
    for (let ms = 0; ms < 2_500; ms += 250) {
      await broker.advance(250);
      got += (await subscriber.receiveAll()).length;
    }
    expect(got).toBeGreaterThan(11 + 20);
    expect(got).toBeLessThanOrEqual(11 + 26);
    await broker.advance(1_000);
    got += (await subscriber.receiveAll()).length;
    expect(got).toBe(40);
    expect(broker.events.filter(({ name }) => name === 'client.slowed')).toMatchObject([
      { quota: 'messagesPerSecond', max: 10, role: 'test', pauseMs: 100 },
    ]);
  });

  it('a publisher of large messages pays for their bytes', async () => {
    const broker = startTestBroker();
    broker.access.bound({ bytesPerSecond: 1_000 });
    const client = await broker.connect('c');
    client.publish('t', 'x'.repeat(3_000), { qos: 1 });
    await client.receive('puback');
    client.publish('t', 'x', { qos: 1 });
    await broker.advance(1_000);
    await client.expectNothing();
    await broker.advance(1_100);
    expect((await client.receive('puback')).reasonCode).toBe(0x10);
  });

  it('an identity that connects anew has no more than before', async () => {
    const broker = startTestBroker();
    broker.access.bound({ messagesPerSecond: 5, beyondRate: 'refuse' });
    const client = await broker.connect('c');
    await reasons(client, 6);
    await client.cut();
    expect(await reasons(await broker.connect('c'), 1)).toEqual([0x97]);
    await broker.advance(2_000);
    expect(await reasons(await broker.connect('d'), 6)).toEqual([0x10, 0x10, 0x10, 0x10, 0x10, 0x97]);
  });

  it('the number that is told is the one that was exceeded', async () => {
    const broker = startTestBroker();
    broker.access.bound({ messagesPerSecond: 100, bytesPerSecond: 1_000, beyondRate: 'refuse' });
    const client = await broker.connect('c');
    expect(await client.deliver('t', 'x'.repeat(400))).toBe(0x10);
    expect(await client.deliver('t', 'x'.repeat(600))).toBe(0x10);
    expect(await client.deliver('t', 'x')).toBe(0x97);
    expect(because(broker)).toBe(
      'role test allows 1000 bytes of payload a second, and more came [role test, quotas.bytesPerSecond]',
    );
    broker.access.bound({ messagesPerSecond: 100, bytesPerSecond: 1_000 });
    await client.deliver('t', 'x'.repeat(2_000));
    expect(broker.events.filter(({ name }) => name === 'client.slowed')).toMatchObject([
      { quota: 'bytesPerSecond', max: 1_000 },
    ]);
  });

  it('whoever keeps exactly to its rate is never refused', async () => {
    const broker = startTestBroker();
    broker.access.bound({ messagesPerSecond: 7, beyondRate: 'refuse' });
    const client = await broker.connect('c');
    expect(await reasons(client, 7)).not.toContain(0x97);
    for (let n = 0; n < 20; n++) {
      for (let step = 0; step < 10; step++) await broker.advance(100);
      expect(await reasons(client, 7)).not.toContain(0x97);
    }
    expect(await reasons(client, 1)).toEqual([0x97]);
  });

  it('a publisher that owes more than it can ever pay is read again now and then', async () => {
    const broker = startTestBroker();
    broker.access.bound({ bytesPerSecond: 1 });
    // What a new policy does by itself is done: it holds everybody to what they owe.
    await broker.advance(250);
    const client = await broker.connect('c');
    client.publish('t', 'x'.repeat(10_000), { qos: 1 });
    await client.receive('puback');
    client.publish('t', 'y', { qos: 1 });
    await broker.advance(29_000);
    await client.expectNothing();
    await broker.advance(1_250);
    expect((await client.receive('puback')).reasonCode).toBe(0x10);
    client.publish('t', 'z', { qos: 1 });
    await broker.advance(29_000);
    await client.expectNothing();
  });

  it('a publisher may still finish its exchange with a broker that ends', async () => {
    const broker = startTestBroker();
    broker.access.bound({ bytesPerSecond: 1 });
    const client = await broker.connect('c');
    const packetId = client.publish('t', 'x'.repeat(1_000), { qos: 2 });
    await client.receive('pubrec');
    client.ack('pubrel', packetId);
    await broker.advance(1_000);
    await client.expectNothing();
    // Long enough that the test would run into its own limit.
    await broker.stop(60_000);
    expect((await client.receiveAll()).map(({ type }) => type)).toEqual(['pubcomp', 'disconnect']);
  });

  it('a policy that lifts the quota counts from then on', async () => {
    const broker = startTestBroker();
    broker.access.bound({ messagesPerSecond: 1, beyondRate: 'refuse' });
    const client = await broker.connect('c');
    expect(await reasons(client, 3)).toEqual([0x10, 0x97, 0x97]);
    broker.access.bound({});
    expect(await reasons(client, 3)).toEqual([0x10, 0x10, 0x10]);
  });

  it('a publisher is not silent while it is not read: it goes on when its time has come', async () => {
    const broker = startTestBroker();
    broker.access.bound({ bytesPerSecond: 1_000 });
    const client = await broker.connect('c', { keepAlive: 1 });
    client.publish('t', 'x'.repeat(6_000), { qos: 1 });
    await client.receive('puback');
    for (let ms = 0; ms < 6_000; ms += 250) await broker.advance(250);
    expect(client.closed).toBe(false);
    client.publish('t', 'x', { qos: 1 });
    expect((await client.receive('puback')).reasonCode).toBe(0x10);
    await broker.advance(1_600);
    expect(client.closed).toBe(true);
  });

  it('a publisher that connects anew is not read sooner', async () => {
    const broker = startTestBroker();
    broker.access.bound({ bytesPerSecond: 1_000 });
    for (const clientId of ['a', 'a', 'b']) {
      const client = await broker.connect(clientId);
      client.publish('t', 'x'.repeat(3_000), { qos: 1 });
      if (clientId === 'b') await client.expectNothing();
      await client.cut();
    }
    expect(broker.counters.messagesReceived).toBe(1);
    const client = await broker.connect('c');
    client.publish('t', 'x', { qos: 1 });
    await broker.advance(2_100);
    expect((await client.receive('puback')).reasonCode).toBe(0x10);
  });

  it('a publisher that is held is read as soon as a policy allows it', async () => {
    const broker = startTestBroker();
    broker.access.bound({ bytesPerSecond: 1 });
    const client = await broker.connect('c');
    client.publish('t', 'x'.repeat(10_000), { qos: 1 });
    await client.receive('puback');
    client.publish('t', 'x', { qos: 1 });
    await broker.advance(1_000);
    await client.expectNothing();
    broker.access.bound({ bytesPerSecond: 100_000 });
    await broker.advance(250);
    await broker.advance(1_000);
    expect((await client.receive('puback')).reasonCode).toBe(0x10);
  });
});

describe('what is refused', () => {
  it.each([
    ['for want of a right', 'no', 'x', 0x87],
    ['for its size', 't', 'x'.repeat(11), 0x97],
  ])('%s counts for the rate, and is told its own reason', async (_why, topic, payload, code) => {
    const broker = startTestBroker({ rules: ['allow publish t'] });
    broker.access.bound({ messagesPerSecond: 5, payloadBytes: 10, beyondRate: 'refuse' });
    const client = await broker.connect('c');
    for (let n = 0; n < 8; n++) expect(await client.deliver(topic, payload)).toBe(code);
    expect(because(broker)).not.toContain('a second');
    expect(await client.deliver('t', 'x')).toBe(0x97);
    expect(because(broker)).toBe(
      'role test allows 5 messages a second, and more came [role test, quotas.messagesPerSecond]',
    );
    await broker.advance(1_000);
    expect(await client.deliver('t', 'x')).toBe(0x10);
  });

  it('counts with its bytes', async () => {
    const broker = startTestBroker({ rules: ['allow publish t'] });
    broker.access.bound({ bytesPerSecond: 1_000, beyondRate: 'refuse' });
    const client = await broker.connect('c');
    expect(await client.deliver('no', 'x'.repeat(3_000))).toBe(0x87);
    expect(await client.deliver('t', 'x')).toBe(0x97);
    await broker.advance(2_100);
    expect(await client.deliver('t', 'x')).toBe(0x10);
  });

  it.each([5, 4, 3] as const)('slows whoever sends nothing else, MQTT version %i', async (version) => {
    const broker = startTestBroker({ rules: ['allow publish t'] });
    broker.access.bound({ messagesPerSecond: 10 });
    const client = await broker.connect('c', { version });
    for (let n = 0; n < 40; n++) client.publish('no', `${n}`, { qos: 1 });
    expect(await client.receiveAll()).toHaveLength(11);
    await client.expectNothing();
    expect(broker.counters.refusals).toBe(11);
    for (let ms = 0; ms < 3_250; ms += 250) await broker.advance(250);
    expect(await client.receiveAll()).toHaveLength(29);
    expect(broker.events.filter(({ name }) => name === 'client.slowed')).toHaveLength(1);
  });
});

it('the same QoS 2 message again counts for the rate as well, and is told PUBREC whatever that is', async () => {
  const broker = startTestBroker();
  broker.access.bound({ messagesPerSecond: 10 });
  const client = await broker.connect('c');
  for (let n = 0; n < 40; n++) client.publish('t', 'x', { qos: 2, packetId: 7 });
  expect(await client.receiveAll()).toHaveLength(11);
  broker.access.bound({ messagesPerSecond: 1, beyondRate: 'refuse' });
  await broker.advance(1_000);
  const rest = await client.receiveAll();
  expect(rest).toHaveLength(29);
  for (const { type } of rest) expect(type).toBe('pubrec');
});
