import { parseTopicFilter, parseTopicName, topicMatches } from '@motte/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../ports/message.ts';
import { RetainedIndex } from './retained-index.ts';

const NOTHING = new Uint8Array(0);

function message(topic: string): Message {
  return {
    topic: parseTopicName(topic),
    topicBytes: new TextEncoder().encode(topic),
    payload: NOTHING,
    qos: 0,
    retain: true,
    properties: NOTHING,
    expiresAtMs: 0,
    given: undefined,
    publisher: '',
    owner: '',
  };
}

function scan(index: RetainedIndex, filter: string, max: number): { topics: string[]; pages: number } {
  const topics: string[] = [];
  let pages = 0;
  let from: string | undefined;
  do {
    const page = index.page(parseTopicFilter(filter), from, max);
    topics.push(...page.messages.map((one) => one.topic));
    pages += 1;
    from = page.next;
  } while (from !== undefined);
  return { topics, pages };
}

const level = fc.constantFrom('', 'a', 'b', 'ab', 'a!', '$', '$a', '%', '~');
const topics = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');
const filters = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');

describe('RetainedIndex', () => {
  it('[MQTT-4.7.2-1] agrees with the grammar, whatever the topics and the size of pages', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(topics, { maxLength: 60 }),
        fc.uniqueArray(topics, { maxLength: 20 }),
        filters,
        fc.integer({ min: 1, max: 9 }),
        (put, taken, filter, max) => {
          const index = new RetainedIndex();
          for (const topic of put) index.put(message(topic));
          for (const topic of taken) index.remove(parseTopicName(topic));
          const left = put.filter((topic) => !taken.includes(topic));
          expect(index.size).toBe(left.length);
          const expected = left.filter((topic) => topicMatches(filter, topic)).sort();
          expect(scan(index, filter, max).topics.sort()).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('jumps over what cannot match: one page finds one topic in 30,000', () => {
    const index = new RetainedIndex();
    for (let i = 0; i < 100; i++) for (let j = 0; j < 300; j++) index.put(message(`plant/${i}/${j}`));
    expect(scan(index, 'plant/77/123', 10)).toEqual({ topics: ['plant/77/123'], pages: 1 });
    expect(scan(index, 'plant/+/123', 1000).topics).toHaveLength(100);
    expect(scan(index, 'plant/+/123', 1000).pages).toBe(1);
    expect(scan(index, 'plant/5/#', 1000).pages).toBe(1);
    expect(scan(index, 'plant/5/#', 1000).topics).toHaveLength(300);
  });

  it('a page ends after a bounded number of topics even if none matches', () => {
    const index = new RetainedIndex();
    for (let i = 0; i < 5000; i++) index.put(message(`t${i}/x`));
    const { topics: found, pages } = scan(index, '+/y', 10);
    expect(found).toEqual([]);
    expect(pages).toBeGreaterThan(2);
  });

  it('stays in order over insertions and removals in any order', () => {
    const index = new RetainedIndex();
    const names = Array.from({ length: 5000 }, (_, i) => `n/${(i * 2_654_435_761) % 4_294_967_296}`);
    for (const name of names) index.put(message(name));
    for (const name of names.slice(0, 4000)) index.remove(parseTopicName(name));
    expect(scan(index, 'n/+', 333).topics.sort()).toEqual(names.slice(4000).sort());
    for (const name of names.slice(4000)) index.remove(parseTopicName(name));
    expect([index.size, index.bytes]).toEqual([0, 0]);
    expect(scan(index, '#', 10).topics).toEqual([]);
  });

  it('a topic or filter of 65,535 slashes is one topic like any other', () => {
    const deep = '/'.repeat(65_535);
    const index = new RetainedIndex();
    index.put(message(deep));
    index.put(message('/a'));
    expect(scan(index, '/#', 10).topics).toHaveLength(2);
    expect(scan(index, `${'+/'.repeat(60)}#`, 10).topics).toEqual([deep]);
    expect(scan(index, '/+', 10).topics).toEqual(['/a']);
  });
});
