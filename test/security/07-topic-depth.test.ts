// Recursion over topic levels (CVE-2019-11779): depth is bounded for filters, and is only length for topics.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../harness/index.ts';

describe('deep topics', () => {
  it('a filter deeper than the limit is refused, one at the limit is not', async () => {
    const client = await startTestBroker().connect('c');
    const levels = (count: number): string => new Array(count).fill('a').join('/');
    const { reasonCodes } = await client.subscribe([levels(128), levels(129), `${levels(127)}/#`, levels(30_000)]);
    expect(reasonCodes).toEqual([2, 0x8f, 2, 0x8f]);
  });

  it.each([128, 129, 30_000])(
    'a topic of %i levels is published up to the limit and refused beyond it',
    async (levels) => {
      const broker = startTestBroker();
      const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
      const topic = `${'a/'.repeat(levels - 1)}b`;
      await subscriber.subscribe({ filter: 'a/#', qos: 0 });
      const code = await publisher.deliver(topic, 'x', { retain: true });
      const late = await broker.connect('late');
      await late.subscribe('#');
      if (levels <= 128) {
        expect(code).toBe(0);
        await subscriber.expectMessage(topic, 'x');
        await late.expectMessage(topic, 'x');
      } else {
        expect(code).toBe(0x90);
        await subscriber.expectNothing();
        await late.expectNothing();
      }
      const will = { topic: topic as never, payload: Uint8Array.of(1), qos: 0, retain: false, properties: {} } as const;
      const willing = broker.open(4);
      expect((await willing.connect('w', { will }).catch(() => ({ reasonCode: 5 }))).reasonCode === 0).toBe(
        levels <= 128,
      );
    },
  );

  it('in MQTT 3 a topic that is too deep is acknowledged and dropped', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p', { version: 4 })];
    await subscriber.subscribe('#');
    for (const qos of [1, 2] as const) await publisher.deliver('/'.repeat(60_000), 'x', { qos, retain: true });
    await subscriber.expectNothing();
  });
});
