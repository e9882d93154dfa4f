// Decoding of the remaining length (CVE-2025-66168, CVE-2026-40046): a fifth byte, an overflow, more bytes than needed.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../harness/index.ts';

describe('remaining length', () => {
  it.each(['80 80 80 80 01', 'ff ff ff ff 7f', 'ff ff ff ff ff ff ff', '80 80 80 80', '82 80 00', '80 00'])(
    '%s ends the connection, in one chunk or byte by byte, before CONNECT and after',
    async (hex) => {
      for (const version of [4, 5] as const) {
        const broker = startTestBroker();
        const other = await broker.connect('other');
        for (const isConnected of [false, true]) {
          for (const chunked of [false, true]) {
            const client = isConnected ? await broker.connect('c', { version }) : broker.open(version);
            const bytes = `${isConnected ? 'c0' : '10'} ${hex}`.split(' ');
            for (const chunk of chunked ? bytes : [bytes.join(' ')]) client.sendBytes(chunk);
            await client.receiveAll();
            expect(client.closed).toBe(true);
          }
        }
        await other.ping();
      }
    },
  );

  it('four bytes that announce 256 MiB are refused when they are read', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes('30 ff ff ff 7f');
    await client.expectDisconnected('packet-too-large');
  });
});
