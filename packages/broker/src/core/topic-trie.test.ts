import { parseTopicFilter, parseTopicName, type TopicFilter, topicMatches } from '@motte/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopicTrie } from './topic-trie.ts';

function trieOf(...filters: string[]): TopicTrie<string> {
  const trie = new TopicTrie<string>({ levelsMax: 128, filtersMax: 10_000 });
  for (const filter of filters) trie.findOrInsert(parseTopicFilter(filter), (made) => made);
  return trie;
}

function matches(trie: TopicTrie<string>, topic: string): string[] {
  const found: string[] = [];
  trie.match(parseTopicName(topic), found);
  return found.sort();
}

const level = fc.constantFrom('a', 'b', '', '$x', '__proto__', '+');
const filters = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');
const topics = fc
  .array(fc.constantFrom('a', 'b', '', '$x', '__proto__', 'c'), { minLength: 1, maxLength: 5 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');

describe('TopicTrie', () => {
  it('[MQTT-4.7.1-1] [MQTT-4.7.1-2] # stands for the parent and everything below, + for exactly one level', () => {
    const trie = trieOf('a/#', 'a/+', 'a', '#', '+', '+/+', 'a/b', '/a', '+/a');
    expect(matches(trie, 'a')).toEqual(['#', '+', 'a', 'a/#']);
    expect(matches(trie, 'a/b')).toEqual(['#', '+/+', 'a/#', 'a/+', 'a/b']);
    expect(matches(trie, 'a/b/c')).toEqual(['#', 'a/#']);
    expect(matches(trie, '/a')).toEqual(['#', '+/+', '+/a', '/a']);
    expect(matches(trie, 'a/')).toEqual(['#', '+/+', 'a/#', 'a/+']);
  });

  it('[MQTT-4.7.2-1] a filter that starts with a wildcard does not match a topic that starts with $', () => {
    const trie = trieOf('#', '+/x', '+/#', '$SYS/#', '$SYS/+');
    expect(matches(trie, '$SYS/x')).toEqual(['$SYS/#', '$SYS/+']);
    expect(matches(trie, 'a/$x')).toEqual(['#', '+/#']);
  });

  it('agrees with the grammar, filter by filter', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filters, { maxLength: 20 }), topics, (chosen, topic) => {
        const expected = chosen.filter((filter) => topicMatches(filter, topic)).sort();
        expect(matches(trieOf(...chosen), topic)).toEqual(expected);
      }),
    );
  });

  it('is empty again, node by node, when every filter was taken out', () => {
    fc.assert(
      fc.property(fc.uniqueArray(filters, { maxLength: 20 }), topics, (chosen, topic) => {
        const trie = trieOf(...chosen);
        expect(trie.size).toBe(chosen.length);
        for (const filter of chosen) expect(trie.remove(filter as TopicFilter)).toBe(filter);
        expect(trie.size).toBe(0);
        expect(matches(trie, topic)).toEqual([]);
        for (const filter of chosen) expect(trie.remove(filter as TopicFilter)).toBeUndefined();
      }),
    );
  });

  it('keeps the value at a filter that is there', () => {
    const trie = trieOf('a/+');
    expect(trie.findOrInsert(parseTopicFilter('a/+'), () => 'other')).toBe('a/+');
    expect(trie.find(parseTopicFilter('a/+'))).toBe('a/+');
    expect(trie.find(parseTopicFilter('a/#'))).toBeUndefined();
    expect(trie.size).toBe(1);
  });

  it('takes level names of the language for plain text', () => {
    const trie = trieOf('__proto__/constructor', 'toString', 'hasOwnProperty/#');
    expect(matches(trie, '__proto__/constructor')).toEqual(['__proto__/constructor']);
    expect(matches(trie, 'constructor')).toEqual([]);
    expect(matches(trie, 'hasOwnProperty')).toEqual(['hasOwnProperty/#']);
  });

  it('takes no filter beyond its limits of levels and of filters', () => {
    const trie = new TopicTrie<string>({ levelsMax: 3, filtersMax: 2 });
    expect(trie.findOrInsert(parseTopicFilter('a/b/c/d'), () => 'x')).toBeUndefined();
    expect(trie.findOrInsert(parseTopicFilter('a/b/#'), () => 'x')).toBe('x');
    expect(trie.findOrInsert(parseTopicFilter('b'), () => 'x')).toBe('x');
    expect(trie.findOrInsert(parseTopicFilter('c'), () => 'x')).toBeUndefined();
    expect(trie.findOrInsert(parseTopicFilter('b'), () => 'y')).toBe('x');
    expect(trie.size).toBe(2);
    expect(matches(trie, 'a/b/c/d/e')).toEqual(['x']);
  });

  it('neither a filter nor a topic of 65,535 slashes grows the stack', () => {
    const deep = '/'.repeat(65_535);
    const trie = new TopicTrie<string>({ levelsMax: 100_000, filtersMax: 10 });
    expect(trie.findOrInsert(parseTopicFilter(deep), () => 'deep')).toBe('deep');
    expect(trie.findOrInsert(parseTopicFilter('/#'), () => 'top')).toBe('top');
    expect(matches(trie, deep)).toEqual(['deep', 'top']);
    expect(trie.remove(parseTopicFilter(deep))).toBe('deep');
    expect(matches(trie, deep)).toEqual(['top']);
    expect(matches(trieOf('/#'), deep)).toEqual(['/#']);
  });
});
