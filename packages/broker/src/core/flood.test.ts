import { describe, expect, test } from 'vitest';
import { Flood, REPORTED_MAX } from './flood.ts';

function start() {
  const reports: [facts: string, count: number][] = [];
  return { reports, flood: new Flood<string>((facts, count) => reports.push([facts, count])) };
}

describe('a flood of reports', () => {
  test('is made one by one up to a number, and the rest as one that is the last of them', () => {
    const { reports, flood } = start();
    for (let at = 0; at < REPORTED_MAX + 7; at++) flood.add(`facts ${at}`);
    expect(reports).toHaveLength(REPORTED_MAX);
    flood.flush();
    expect(reports).toHaveLength(REPORTED_MAX + 1);
    expect(reports.at(-1)).toEqual([`facts ${REPORTED_MAX + 6}`, 7]);
  });

  test('says nothing at a flush when nothing was held back, and begins anew after it', () => {
    const { reports, flood } = start();
    flood.add('first');
    flood.flush();
    flood.flush();
    expect(reports).toEqual([['first', 1]]);
    for (let at = 0; at < REPORTED_MAX; at++) flood.add('again');
    expect(reports).toHaveLength(1 + REPORTED_MAX);
  });
});
