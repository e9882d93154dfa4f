import { describe, expect, it } from 'vitest';
import { duplexPair, settle } from './duplex-pair.ts';

describe('duplexPair', () => {
  it('delivers in order and in a later turn, then the end', async () => {
    const [one, other] = duplexPair();
    const got: string[] = [];
    other.on('data', (chunk: Buffer) => got.push(chunk.toString()));
    other.on('end', () => got.push('end'));
    one.write('a');
    one.write('b');
    one.end();
    expect(got).toEqual([]);
    await settle();
    expect(got).toEqual(['a', 'b', 'end']);
  });

  it('holds the writer back while nobody reads', async () => {
    const [one, other] = duplexPair();
    let drained = 0;
    one.on('drain', () => drained++);
    for (let n = 0; n < 10; n++) one.write(Buffer.alloc(65_536));
    await settle();
    expect(one.writableLength).toBeGreaterThan(0);
    expect(drained).toBe(0);
    let bytes = 0;
    other.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await settle();
    expect(bytes).toBe(655_360);
    expect(drained).toBe(1);
  });

  it('closes the other end when one is destroyed', async () => {
    const [one, other] = duplexPair();
    let closed = false;
    other.on('close', () => {
      closed = true;
    });
    one.destroy();
    await settle();
    expect(closed).toBe(true);
  });
});
