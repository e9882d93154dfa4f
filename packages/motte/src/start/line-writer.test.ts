import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLineWriter } from './line-writer.ts';

describe('createLineWriter', () => {
  it('writes the lines of one turn at once and in order', async () => {
    const chunks: string[] = [];
    const stream = new PassThrough().on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    const lines = createLineWriter(stream, () => undefined);
    lines.write('one');
    lines.write('two');
    await new Promise((resolve) => setTimeout(resolve, 5));
    lines.write('three');
    lines.flush();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(chunks).toEqual(['one\ntwo\n', 'three\n']);
  });

  it('keeps a bounded part of what nobody takes, and says how much was lost', async () => {
    let text = '';
    let take: (() => void) | undefined;
    let open = false;
    const stream = new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        text += chunk;
        if (open) done();
        else take = done;
      },
    });
    const lost: number[] = [];
    const lines = createLineWriter(stream, (count) => {
      lost.push(count);
      lines.write(`lost ${count}`);
    });
    const line = 'x'.repeat(1023);
    for (let n = 0; n < 10_000; n++) {
      lines.write(line);
      if (n % 100 === 0) lines.flush();
    }
    lines.flush();
    expect(stream.writableLength).toBeLessThan(4.1 * 1024 * 1024);
    expect(lost).toEqual([]);
    open = true;
    take?.();
    while (stream.writableLength > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const whole = text.length / (line.length + 1);
    lines.write('after');
    lines.flush();
    expect(lost).toEqual([10_000 - whole]);
    expect(text.endsWith(`\nlost ${lost[0]}\nafter\n`)).toBe(true);
  });
});
