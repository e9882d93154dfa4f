import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PeerError, parseTopicName, TopicCache } from './index.ts';

const parse = (cache: TopicCache, text: string) => {
  const bytes = Buffer.from(`x${text}x`);
  return cache.parse(bytes, 1, bytes.length - 1);
};

test('whatever the cache holds, a topic is what its bytes say', () => {
  const word = fc.stringMatching(/^[a-c/é漢]{1,4}$/u);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), fc.constantFrom(1, 2, 7, 64), fc.integer(), (topics, size, seed) => {
      const cache = new TopicCache(size, seed);
      for (const topic of topics) expect(parse(cache, topic)).toBe(topic);
    }),
    { numRuns: 300 },
  );
});

test('two topics with one hash are two topics', () => {
  // Found by search; with the seed 0 both hash alike.
  const pair = ['dev/042vu', 'dev/0fuea'] as const;
  const cache = new TopicCache(1024, 0);
  for (const topic of [...pair, ...pair]) expect(parse(cache, topic)).toBe(topic);
});

test('what is refused is refused every time, and leaves nothing behind', () => {
  const cache = new TopicCache(1, 9);
  for (const [text, reason] of [
    ['a/#', 'topic-name-invalid'],
    ['', 'topic-name-invalid'],
    ['a\0', 'malformed-packet'],
  ] as const) {
    for (let i = 0; i < 3; i++) {
      expect(() => parse(cache, text)).toThrow(expect.objectContaining({ reason }));
      expect(() => parse(cache, text)).toThrow(PeerError);
    }
    expect(parse(cache, 'good')).toBe('good');
  }
});

test('a later change of the received buffer does not reach the cache', () => {
  const cache = new TopicCache(16);
  const bytes = Buffer.from('abc');
  cache.parse(bytes, 0, 3);
  bytes.write('abd');
  expect(cache.parse(bytes, 0, 3)).toBe('abd');
  expect(cache.parse(Buffer.from('abc'), 0, 3)).toBe('abc');
});

test('a topic in the cache is not validated again, a long one is never in it', () => {
  const cache = new TopicCache(16);
  for (const [length, isCached] of [
    [256, true],
    [257, false],
  ] as const) {
    const bytes = new Uint8Array(length).fill(0x61);
    const name = cache.parse(bytes, 0, length);
    expect(name).toBe(parseTopicName('a'.repeat(length)));
    let reads = 0;
    const watched = new Proxy(bytes, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    expect(cache.parse(watched, 0, length)).toBe(name);
    // Hashing reads each byte once, comparing or checking once more.
    expect(reads).toBe(2 * length);
    expect(isCached).toBe(length <= 256);
  }
});
