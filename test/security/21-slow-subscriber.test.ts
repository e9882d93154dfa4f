// A slow subscriber that stalls everyone: it costs itself messages and in the end its place, and nobody else anything.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../harness/index.ts';

describe('subscribers that do not read', () => {
  it('fifty of them: publishers are acknowledged and readers served as if they were not there', async () => {
    const broker = startTestBroker({
      limits: { unsentBytesMax: 32 * 1024, queueMessagesMax: 10, queueBytesMax: 64 * 1024 },
    });
    const [reader, publisher] = [await broker.connect('reader'), await broker.connect('p')];
    await reader.subscribe('a');
    for (let n = 0; n < 50; n++) {
      const client = await broker.connect(`stuck${n}`, { version: n % 2 === 0 ? 4 : 5, cleanStart: n % 4 !== 0 });
      await client.subscribe({ filter: 'a', qos: n % 3 === 0 ? 0 : 1 });
      client.pause();
    }
    for (let n = 0; n < 60; n++) {
      expect(await publisher.deliver('a', `${n} ${'x'.repeat(3_000)}`)).toBe(0);
      expect((await reader.takeMessages(1))[0]?.startsWith(`${n} `)).toBe(true);
    }
    for (const { unsentBytes, queuedMessages } of broker.clients()) {
      expect(unsentBytes).toBeLessThan(40 * 1024);
      expect(queuedMessages).toBeLessThanOrEqual(10);
    }
  });

  it('one that never acknowledges holds its own window and nobody else’s', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 20 } });
    const [silent, reader, publisher] = [
      await broker.connect('silent'),
      await broker.connect('r'),
      await broker.connect('p'),
    ];
    for (const client of [silent, reader]) await client.subscribe('a');
    for (let n = 0; n < 300; n++) {
      await publisher.deliver('a', String(n));
      expect(await reader.takeMessages(1)).toEqual([String(n)]);
    }
    expect(await silent.receiveAll()).toHaveLength(100);
    await silent.ping();
  });
});
