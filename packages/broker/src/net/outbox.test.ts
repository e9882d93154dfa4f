import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Outbox } from './outbox.ts';

/** A stream that takes a write only when told to. */
function slowStream(): { stream: Writable; taken: Buffer[]; take: () => void } {
  const taken: Buffer[] = [];
  const waiting: (() => void)[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      taken.push(Buffer.from(chunk));
      waiting.push(done);
    },
    writev(chunks, done) {
      taken.push(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)));
      waiting.push(done);
    },
  });
  return { stream, taken, take: () => waiting.shift()?.() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Outbox', () => {
  it('sends many small frames in one write, in order', () => {
    const { stream, taken } = slowStream();
    const outbox = new Outbox(stream, () => undefined);
    for (let n = 0; n < 100; n++) outbox.append(Uint8Array.of(n));
    outbox.flush();
    expect(taken).toHaveLength(1);
    expect([...(taken[0] as Buffer)]).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it('gives the place of what was appended, so that holes can be filled', () => {
    const { stream, taken } = slowStream();
    const outbox = new Outbox(stream, () => undefined);
    outbox.append(Uint8Array.of(1, 2, 3));
    const bytes = outbox.append(Uint8Array.of(9, 0, 9));
    bytes[outbox.at + 1] = 5;
    outbox.flush();
    expect([...(taken[0] as Buffer)]).toEqual([1, 2, 3, 9, 5, 9]);
  });

  it('does not touch what the stream still works on', async () => {
    const { stream, taken, take } = slowStream();
    const outbox = new Outbox(stream, () => outbox.flush());
    outbox.append(Uint8Array.of(1));
    outbox.flush();
    outbox.append(Uint8Array.of(2));
    outbox.flush();
    expect(outbox.unsentBytes).toBe(2);
    expect(taken).toHaveLength(1);
    take();
    await turn();
    expect(taken.map((chunk) => [...chunk])).toEqual([[1], [2]]);
    take();
    await turn();
    expect(outbox.unsentBytes).toBe(0);
  });

  it.each([16_383, 16_384, 16_385, 100_000])('keeps order around a frame of %i bytes', async (length) => {
    const { stream, taken, take } = slowStream();
    const outbox = new Outbox(stream, () => undefined);
    outbox.append(Uint8Array.of(1));
    outbox.append(new Uint8Array(length).fill(7));
    outbox.append(Uint8Array.of(2));
    outbox.flush();
    while (outbox.busy) {
      take();
      await turn();
    }
    const all = Buffer.concat(taken);
    expect(all.length).toBe(length + 2);
    expect(all[0]).toBe(1);
    expect(all.at(-1)).toBe(2);
  });

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
});
