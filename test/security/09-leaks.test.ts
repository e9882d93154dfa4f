// Memory lost on repeated or broken sequences (CVE-2023-28366, CVE-2023-3592, CVE-2024-8376, CVE-2021-34431): the same again
// and again leaves what the first time left. Whole connections are counted in broker/net, connection.test.ts.

import { describe, expect, it } from 'vitest';
import { bytesOf, frame, joined, settle, startTestBroker, text, uint16 } from '../harness/index.ts';
import { bytesHeld } from './heap.ts';

const SEQUENCES: readonly { readonly title: string; readonly bytes: Uint8Array }[] = [
  { title: 'QoS 2 with one identifier, never released', bytes: frame(0x34, text('a'), uint16(1), new Uint8Array(500)) },
  { title: 'the same subscription', bytes: frame(0x82, uint16(1), text('a/b/c'), 1) },
  {
    title: 'subscribing and unsubscribing',
    bytes: joined([frame(0x82, uint16(1), text('x/+/y'), 1), frame(0xa2, uint16(1), text('x/+/y'))]),
  },
  { title: 'PUBREL for nothing', bytes: bytesOf('62 02 12 34') },
  { title: 'acknowledgements of nothing', bytes: bytesOf('40 02 00 01 50 02 00 02 70 02 00 03') },
  { title: 'retaining and clearing', bytes: joined([frame(0x31, text('r'), 'aabbcc'), frame(0x31, text('r'))]) },
];

describe('100,000 times on one connection', () => {
  it.each(SEQUENCES)('$title', { timeout: 60_000 }, async ({ bytes }) => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { version: 4, cleanStart: false });
    const rounds = async (count: number): Promise<void> => {
      const chunk = Buffer.concat(new Array<Uint8Array>(500).fill(bytes));
      for (let n = 0; n < count; n += 500) {
        client.sendBytes(chunk);
        await client.receiveAll();
      }
      broker.events.length = 0;
      await settle();
    };
    await rounds(10_000);
    const before = await bytesHeld();
    await rounds(100_000);
    const grown = (await bytesHeld()) - before;
    expect(client.closed).toBe(false);
    expect(grown / 100_000).toBeLessThan(10);
  });
});
