import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { Outbox } from './outbox.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('blocks that wait behind a write are nobody else’s until they were written themselves', async () => {
  const taken: Buffer[] = [];
  const waiting: (() => void)[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    // What the stream was given is read when it is taken, as a socket under back-pressure does.
    write(chunk: Buffer, _encoding, done) {
      waiting.push(() => {
        taken.push(Buffer.from(chunk));
        done();
      });
    },
  });
  const slow = new Outbox(stream, () => undefined);
  slow.append(new Uint8Array(10).fill(1));
  slow.flush();
  for (let n = 0; n < 5; n++) slow.append(new Uint8Array(16_000).fill(2 + n));
  waiting.shift()?.();
  await turn();
  // Another connection needs blocks now.
  const other = new Outbox(new Writable({ write: (_chunk, _encoding, done) => done() }), () => undefined);
  for (let n = 0; n < 8; n++) other.append(new Uint8Array(16_000).fill(0xee));
  slow.flush();
  for (let n = 0; n < 20; n++) {
    waiting.shift()?.();
    await turn();
  }
  const bytes = Buffer.concat(taken).subarray(10);
  expect(bytes.length).toBe(80_000);
  expect([...new Set(bytes)]).toEqual([2, 3, 4, 5, 6]);
});
