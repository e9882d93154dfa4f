import { describe, expect, it } from 'vitest';
import { patternsOf, SIBLINGS_MIN } from './topic-tree.ts';

const NAMING = { name: 'pump-1', placeholder: '$' + '{device}' };
const MANY = Array.from({ length: SIBLINGS_MIN }, (_, i) => `x${i}`);

function filters(
  targets: readonly string[],
  { tails = true, naming = NAMING as Parameters<typeof patternsOf>[1] } = {},
) {
  return patternsOf(
    targets.map((target) => ({ target })),
    naming,
    tails,
  ).map(({ filter }) => filter);
}

describe('patterns of topics', () => {
  it('have a placeholder for its own name as a level, and for no part of one', () => {
    expect(filters(['a/pump-1/b', 'pump-1', 'a/pump-10/b', 'a/x-pump-1'])).toEqual([
      'a/$' + '{device}/b',
      'a/pump-10/b',
      'a/x-pump-1',
      '$' + '{device}',
    ]);
    const anonymous = { name: 'pump-1', placeholder: undefined };
    expect(filters(['a/pump-1/b'], { naming: anonymous })).toEqual(['a/pump-1/b']);
  });

  it('are written out below the number of siblings from which on they are +', () => {
    const targets = MANY.map((level) => `a/${level}/b`);
    expect(filters(targets.slice(1))).toEqual(targets.slice(1));
    expect(filters(targets)).toEqual(['a/+/b']);
    expect(filters([...targets, 'a/x0/c', 'a/x0/c/d'])).toEqual(['a/+/b', 'a/+/c', 'a/+/c/d']);
  });

  it('never have a + where its own name stands, nor a # above it', () => {
    const own = ['a/pump-1', ...MANY.map((level) => `a/${level}`)];
    expect(filters(own)).toEqual(['a/$' + '{device}', ...MANY.map((level) => `a/${level}`)]);
    const deep = MANY.flatMap((level) => [`a/${level}`, ...MANY.map((next) => `a/${level}/${next}/pump-1`)]);
    expect(filters(deep)).toEqual(['a/+', 'a/+/+/$' + '{device}']);
  });

  it('never widen the first level', () => {
    expect(filters(MANY)).toEqual(MANY);
    expect(filters(MANY.map((level) => `$SYS/${level}`))).toEqual(['$SYS/+']);
  });

  it('end with # only where nothing but many siblings follow, and they end at different depths', () => {
    const two = MANY.flatMap((level) => [`a/${level}`, ...MANY.map((next) => `a/${level}/${next}`)]);
    expect(filters(two)).toEqual(['a/#']);
    expect(filters(two, { tails: false })).toEqual(['a/+', 'a/+/+']);
    expect(filters(two.filter((one) => one.split('/').length === 3))).toEqual(['a/+/+']);
    expect(filters([...MANY.map((level) => `a/${level}`), 'a/x0/err'])).toEqual(['a/+', 'a/+/err']);
    expect(filters(['a', ...two])).toEqual(['a', 'a/#']);
  });

  it('leave the wildcards of filters as they were asked for', () => {
    expect(filters(['a/+', 'a/+/+', 'a/b/#'])).toEqual(['a/+', 'a/+/+', 'a/b/#']);
    expect(filters(['a/+/z', ...MANY.map((level) => `a/${level}/#`)], { tails: false })).toEqual(['a/+/z', 'a/+/#']);
  });
});
