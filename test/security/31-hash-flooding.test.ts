// Hash flooding: topics chosen so that simple hashes collide (whole numbers, whose hash in V8 is known to all, and strings of
// equal simple sums) take the time that others take. Quadratic time would run into the limit of these tests many times over.

import { encode } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { bytesOf, settle, startTestBroker } from '../harness/index.ts';

const COUNT = 100_000;

const TOPICS: readonly { readonly title: string; readonly topic: (n: number) => string }[] = [
  { title: 'whole numbers', topic: (n) => String(n) },
  { title: 'whole numbers, equal in their low bits', topic: (n) => String((n * 128) % 16_777_216) },
  { title: 'levels that are whole numbers', topic: (n) => `${n % 1000}/${Math.floor(n / 1000) * 256}` },
  {
    title: 'strings of equal sums and equal polynomials',
    topic: (n) => Array.from({ length: 17 }, (_, bit) => ((n >> bit) & 1 ? 'Aa' : 'BB')).join(''),
  },
];

describe('100,000 chosen topics', () => {
  it.each(TOPICS)('retained, routed, found again: $title', { timeout: 60_000 }, async ({ topic }) => {
    const broker = startTestBroker();
    const [publisher, subscriber] = [await broker.connect('p', { version: 4 }), await broker.connect('s')];
    await subscriber.subscribe('none/of/these');
    for (let n = 0; n < COUNT; n += 1000) {
      publisher.sendBytes(
        Buffer.concat(
          Array.from({ length: 1000 }, (_, at) =>
            encode(
              {
                type: 'publish',
                topic: topic(n + at),
                payload: bytesOf('78'),
                qos: 0,
                retain: true,
                dup: false,
                packetId: 0,
                properties: {},
              },
              4,
            ),
          ),
        ),
      );
      await settle();
    }
    await publisher.ping();
    await subscriber.subscribe({ filter: topic(COUNT - 1), qos: 0 });
    expect((await subscriber.receive('publish')).topic).toBe(topic(COUNT - 1));
  });

  it('as filters and client identifiers', { timeout: 60_000 }, async () => {
    const broker = startTestBroker({ limits: { subscriptionsPerSessionMax: 20_000 } });
    for (let n = 0; n < 50; n++) {
      const client = await broker.connect(String(n * 256), { version: 4 });
      for (let m = 0; m < 400; m += 100) {
        await client.subscribe(Array.from({ length: 100 }, (_, at) => `${(n * 400 + m + at) * 128}/+`));
      }
    }
    const [last] = broker.clients().slice(-1);
    expect(last?.subscriptions).toBe(400);
  });
});
