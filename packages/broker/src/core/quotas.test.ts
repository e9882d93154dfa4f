// Bounds of a role on what its holders have and send: one more is refused, with the numbers. How fast they may is rate.test.ts's.

import { describe, expect, it } from 'vitest';
import { because } from '../../../../test/harness/because.ts';
import { startTestBroker } from '../../../../test/harness/index.ts';
import { will } from '../../../../test/harness/will.ts';

const KEPT = { sessionExpiryInterval: 600 };

describe('a quota of', () => {
  it('payload bytes: larger messages and wills are refused, with the numbers', async () => {
    const broker = startTestBroker();
    broker.access.bound({ payloadBytes: 10 });
    const client = await broker.connect('c');
    client.publish('t', 'x'.repeat(10), { qos: 1 });
    expect((await client.receive('puback')).reasonCode).toBe(0x10);
    client.publish('t', 'x'.repeat(11), { qos: 1 });
    expect((await client.receive('puback')).reasonCode).toBe(0x97);
    expect(because(broker)).toBe(
      'role test allows 10 bytes of payload, and the message has 11 [role test, quotas.payloadBytes]',
    );
    const other = broker.open();
    expect((await other.connect('o', { will: will('t', 'x'.repeat(11)) })).reasonCode).toBe(0x97);
    expect(because(broker)).toMatch(/^the will: role test allows 10 bytes/);
  });

  it('levels: deeper topics and filters are refused', async () => {
    const broker = startTestBroker();
    broker.access.bound({ topicLevels: 3 });
    const client = await broker.connect('c');
    expect((await client.subscribe({ filter: 'a/b/c', qos: 1 })).reasonCodes).toEqual([1]);
    expect((await client.subscribe({ filter: 'a/b/c/d', qos: 1 })).reasonCodes).toEqual([0x97]);
    expect((await client.subscribe(['$share/g/a/b/c', '$share/g/a/b/c/d'])).reasonCodes).toEqual([2, 0x97]);
    client.publish('a/b//', 'x', { qos: 1 });
    expect((await client.receive('puback')).reasonCode).toBe(0x97);
    expect(because(broker)).toContain('role test allows 3 levels, and the topic has 4');
  });

  it('subscriptions: one more is refused, the same one again is not', async () => {
    const broker = startTestBroker();
    broker.access.bound({ subscriptions: 2 });
    const client = await broker.connect('c');
    for (const [filter, code] of [
      ['a', 1],
      ['b', 1],
      ['c', 0x97],
      ['b', 1],
    ] as const) {
      expect((await client.subscribe({ filter, qos: 1 })).reasonCodes).toEqual([code]);
    }
  });

  it('connections: one more is refused, one that takes its session over or comes back is not', async () => {
    const broker = startTestBroker();
    broker.access.bound({ connections: 2 });
    const first = await broker.connect('a');
    await broker.connect('b');
    expect((await broker.open().connect('c')).reasonCode).toBe(0x97);
    expect(because(broker)).toContain('role test allows 2 connections, and there are 2 already');
    const again = await broker.connect('a');
    expect(first.closed).toBe(true);
    expect((await broker.open().connect('c')).reasonCode).toBe(0x97);
    await again.cut();
    await broker.connect('c');
  });

  it('retained messages: one more is refused, replacing and forgetting are not', async () => {
    const broker = startTestBroker();
    broker.access.bound({ retainedMessages: 2, retainedBytes: 12 });
    const client = await broker.connect('c');
    const keep = (topic: string, payload: string) => client.deliver(topic, payload, { retain: true });
    expect(await keep('a', 'x')).toBe(0x10);
    expect(await keep('b', 'x')).toBe(0x10);
    expect(await keep('c', 'x')).toBe(0x97);
    expect(because(broker)).toBe(
      'role test allows 2 retained messages, and there are 2 already [role test, quotas.retainedMessages]',
    );
    expect(await keep('b', 'xxxxxxxx')).toBe(0x10);
    expect(await keep('a', 'xxxxxxxx')).toBe(0x97);
    expect(because(broker)).toContain('role test allows 12 bytes of retained messages, and it would be 17');
    expect(await keep('b', '')).toBe(0x10);
    expect(await keep('c', 'x')).toBe(0x10);
  });

  it('retained messages: many in one turn are not more than many in several', async () => {
    const broker = startTestBroker();
    broker.access.bound({ retainedMessages: 3 });
    const client = await broker.connect('c');
    client.send(
      ...['a', 'b', 'c', 'd', 'e', 'a'].map((topic) => client.publication(topic, 'x', { qos: 1, retain: true })),
    );
    const codes: number[] = [];
    for (let n = 0; n < 6; n++) codes.push((await client.receive('puback')).reasonCode);
    expect(codes).toEqual([0x10, 0x10, 0x10, 0x97, 0x97, 0x10]);
  });

  it('queued messages: what comes when a session is owed that many is given up', async () => {
    const broker = startTestBroker();
    broker.access.bound({ queueMessages: 3 });
    const away = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await away.subscribe('t');
    await away.cut();
    const publisher = await broker.connect('p');
    for (let n = 0; n < 5; n++) await publisher.deliver('t', `${n}`);
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    expect(await back.takeMessages(3)).toEqual(['0', '1', '2']);
    await back.expectNothing();
    expect(broker.events.find(({ name }) => name === 'session.dropped-message')).toMatchObject({
      why: 'its queue is full by its quota (3 messages, role test)',
    });
  });
});
