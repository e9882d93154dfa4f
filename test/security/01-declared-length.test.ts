// Memory before CONNECT from a declared length (CVE-2023-0809, CVE-2017-7651, CVE-2021-33176): nothing is taken for what a
// peer merely announces, and a peer that does not begin with CONNECT is not listened to at all.

import { describe, expect, it } from 'vitest';
import { bytesOf, type RawClient, settle, startTestBroker } from '../harness/index.ts';
import { bytesHeld } from './heap.ts';

describe('before CONNECT', () => {
  it('a packet that announces more than the limit ends the connection when its length is read', async () => {
    const client = startTestBroker().open(4);
    client.sendBytes('10 81 80 01');
    await client.expectClosed();
  });

  it.each(['30 ff 7f', '82', 'c0 01', '00', '47', '16 03 01 02 00'])(
    'a peer that begins with %s is not waited for',
    async (hex) => {
      const client = startTestBroker().open(4);
      client.sendBytes(hex);
      await client.expectClosed();
    },
  );

  it('2,000 peers that announce 16 KiB and send 3 bytes hold next to nothing', async () => {
    const broker = startTestBroker();
    const open = async (count: number): Promise<RawClient[]> => {
      const clients = Array.from({ length: count }, () => broker.open(4));
      for (const client of clients) client.sendBytes(bytesOf('10 80 7f 00'));
      await settle();
      return clients;
    };
    const first = await open(200);
    const before = await bytesHeld();
    const clients = await open(2_000);
    const held = (await bytesHeld()) - before;
    expect(clients.every((client) => !client.closed)).toBe(true);
    expect(held / 2_000).toBeLessThan(12_000);
    for (const client of [...first, ...clients]) await client.cut();
  });
});
