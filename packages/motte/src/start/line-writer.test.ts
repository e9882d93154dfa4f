import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLineWriter } from './line-writer.ts';

describe('createLineWriter', () => {
  it('writes the lines of one turn at once and in order', async () => {
    const chunks: string[] = [];
    const stream = new PassThrough().on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
    const lines = createLineWriter(stream);
    lines.write('one');
    lines.write('two');
    await new Promise((resolve) => setTimeout(resolve, 5));
    lines.write('three');
    lines.flush();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(chunks).toEqual(['one\ntwo\n', 'three\n']);
  });
});
