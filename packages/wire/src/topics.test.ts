import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filterCovers, levelsOf, PeerError, parseTopicFilter, parseTopicName, shareOf, topicMatches } from './index.ts';

describe('topic names', () => {
  test.each(['a', '/', '//', 'a/b/c', '$SYS/x', ' ', 'ä/漢/😀', '\ufeff', 'x'.repeat(65_535)])('%j is one', (name) => {
    expect(parseTopicName(name)).toBe(name);
  });

  test.each([
    ['', 'MQTT-4.7.3-1'],
    ['#', 'MQTT-3.3.2-2'],
    ['a/+', 'MQTT-3.3.2-2'],
    ['a#b', 'MQTT-3.3.2-2'],
    ['a\0', 'MQTT-4.7.3-2'],
    ['a\n', '1.5.4'],
    ['\ud800', '1.5.4'],
    ['x'.repeat(65_536), 'MQTT-4.7.3-3'],
    ['ä'.repeat(32_768), 'MQTT-4.7.3-3'],
  ])('[MQTT-4.7.1-1] %j is none: %s', (name, rule) => {
    expect(() => parseTopicName(name)).toThrow(expect.objectContaining({ reason: 'topic-name-invalid', rule }));
  });
});

describe('topic filters', () => {
  test.each([
    '#',
    '+',
    '/',
    'a/#',
    '+/+/#',
    '/+',
    'a/+/b',
    '$SYS/#',
    '$share/g/a',
    '$share/g/#',
    '$share/g//',
    '$shared',
    '$share',
  ])('%j is one', (filter) => {
    expect(parseTopicFilter(filter)).toBe(filter);
  });

  test.each([
    ['', 'MQTT-4.7.3-1'],
    ['a#', 'MQTT-4.7.1-1'],
    ['#/a', 'MQTT-4.7.1-1'],
    ['a/#/b', 'MQTT-4.7.1-1'],
    ['##', 'MQTT-4.7.1-1'],
    ['a+', 'MQTT-4.7.1-2'],
    ['+a', 'MQTT-4.7.1-2'],
    ['a/b+/c', 'MQTT-4.7.1-2'],
    ['a\0', 'MQTT-4.7.3-2'],
    ['$share/', 'MQTT-4.8.2-1'],
    ['$share//a', 'MQTT-4.8.2-1'],
    ['$share/g', 'MQTT-4.8.2-2'],
    ['$share/g/', 'MQTT-4.8.2-2'],
    ['$share/g+/a', 'MQTT-4.8.2-2'],
    ['$share/#/a', 'MQTT-4.8.2-2'],
    ['$share/g/a#', 'MQTT-4.7.1-1'],
  ])('%j is none [%s]', (filter, rule) => {
    expect(() => parseTopicFilter(filter)).toThrow(expect.objectContaining({ reason: 'topic-filter-invalid', rule }));
  });

  test('[MQTT-4.8.2-1] a shared filter has a group and a filter', () => {
    expect(shareOf(parseTopicFilter('$share/g/a/b'))).toEqual({ group: 'g', filter: 'a/b' });
    expect(shareOf(parseTopicFilter('$share/g//'))).toEqual({ group: 'g', filter: '/' });
    expect(shareOf(parseTopicFilter('a/b'))).toBeUndefined();
  });
});

test('levels', () => {
  expect(['a', '/', 'a/b', '//'].map(levelsOf)).toEqual([1, 2, 2, 3]);
});

describe('[MQTT-4.7.3-4] matching', () => {
  test.each([
    ['a', 'a', true],
    ['a', 'A', false],
    ['a', 'a/', false],
    ['a/', 'a', false],
    ['#', 'a/b/c', true],
    ['#', '/', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['+', 'a', true],
    ['+', '', true],
    ['+', '/a', false],
    ['+/+', '/a', true],
    ['/+', '/a', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/+/c', 'a/b/c', true],
    ['a/+/#', 'a', false],
    ['a/+/#', 'a/b', true],
    ['+/#', 'a', true],
    ['ab', 'abc', false],
    ['abc', 'ab', false],
    ['$SYS/#', '$SYS/x', true],
    ['$SYS/+', '$SYS/x', true],
  ])('%j and %j: %s', (filter, topic, expected) => {
    expect(topicMatches(filter, topic)).toBe(expected);
  });

  test.each([
    ['#', '$SYS/x'],
    ['+/x', '$SYS/x'],
    ['+', '$x'],
  ])('[MQTT-4.7.2-1] %j does not match %j', (filter, topic) => {
    expect(topicMatches(filter, topic)).toBe(false);
  });

  test('says what a regular expression says', () => {
    fc.assert(
      fc.property(filters, names, (filter, name) => {
        const pattern = filter
          .replaceAll('$', '\\$')
          .replaceAll('+', '[^/]*')
          .replace(/^#$/, '.*')
          .replace(/\/#$/, '(/.*)?');
        const expected = !(/^[+#]/.test(filter) && name.startsWith('$')) && new RegExp(`^${pattern}$`).test(name);
        expect(topicMatches(filter, name)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('covering', () => {
  test.each([
    ['#', '#', true],
    ['#', '+/a', true],
    ['+/#', '#', true],
    ['+', '#', false],
    ['+/+/#', '/#', true],
    ['a/#', 'a', true],
    ['a/#', 'a/#', true],
    ['a/+', 'a/#', false],
    ['a/+/#', 'a/#', false],
    ['#', '$SYS/a', false],
    ['+/a', '$SYS/a', false],
    ['$SYS/#', '$SYS/a', true],
    ['a/b', 'a/+', false],
    ['a/+', 'a/b', true],
    ['a', 'ab', false],
  ])('%j covers %j: %s', (wide, narrow, expected) => {
    expect(filterCovers(wide, narrow)).toBe(expected);
  });

  test('a filter covers another exactly if it matches all that the other matches', () => {
    // Three levels of three words tell any two of these filters apart.
    const words = ['a', 'b', '$c', ''];
    const topics = words.flatMap((x) => [
      x,
      ...words.flatMap((y) => [`${x}/${y}`, ...words.map((z) => `${x}/${y}/${z}`)]),
    ]);
    const deep = topics.flatMap((topic) => [topic, `${topic}/z/z`]).filter((topic) => topic !== '');
    fc.assert(
      fc.property(filters, filters, (wide, narrow) => {
        const covers = deep.every((topic) => !topicMatches(narrow, topic) || topicMatches(wide, topic));
        expect(filterCovers(wide, narrow)).toBe(covers);
      }),
      { numRuns: 3000 },
    );
  });
});

const level = fc.constantFrom('a', 'b', '$c', '', '+');
const filters = fc
  .tuple(fc.array(level, { minLength: 0, maxLength: 3 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all || levels.length === 0 ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');
const names = fc
  .array(fc.constantFrom('a', 'b', '$c', ''), { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((name) => name !== '');

test('parsing any text throws PeerError or nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
      for (const parse of [parseTopicName, parseTopicFilter]) {
        try {
          parse(text);
        } catch (error) {
          if (!(error instanceof PeerError)) throw error;
        }
      }
    }),
  );
});
