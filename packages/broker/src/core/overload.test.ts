import { describe, expect, it } from 'vitest';
import type { Emit } from '../events.ts';
import { Overload } from './overload.ts';

function overloadOf(memoryBytesMax = 1_000) {
  const told: string[] = [];
  const emit: Emit = Object.assign(
    (name: string, fields: object) => {
      const { what, stage } = fields as { what: string; stage: number };
      told.push(`${name} ${what} ${stage}`);
    },
    { wanted: () => true },
  );
  return { told, overload: new Overload({ memoryBytesMax, lagMsMax: 200, emit }) };
}

describe('memory against its budget', () => {
  it('enters each stage at its mark and leaves it a twentieth below, and says so once', () => {
    const { overload, told } = overloadOf();
    const stages = [
      799, 800, 899, 900, 851, 850, 849, 949, 950, 999, 1_000, 950, 949, 900, 899, 850, 849, 750, 749,
    ].map((bytes) => {
      overload.measureMemory(bytes);
      return overload.stage;
    });
    expect(stages).toEqual([0, 1, 1, 2, 2, 2, 1, 2, 3, 3, 4, 4, 3, 3, 2, 2, 1, 1, 0]);
    expect(told.filter((line) => line.startsWith('overload.entered')).length).toBe(5);
    expect(told.slice(-4)).toEqual([4, 3, 2, 1].map((stage) => `overload.left memory ${stage}`));
  });

  it('does not flap where it goes up and down around a mark', () => {
    const { overload, told } = overloadOf();
    for (let n = 0; n < 100; n++) overload.measureMemory(n % 2 === 0 ? 810 : 760);
    expect(told).toEqual(['overload.entered memory 1']);
  });

  it('passes through all stages when it jumps', () => {
    const { overload, told } = overloadOf();
    overload.measureMemory(2_000);
    overload.measureMemory(0);
    expect(told.map((line) => line.at(-1)).join('')).toBe('12344321');
    expect(overload.findings).toEqual([]);
  });

  it('is never short without a budget', () => {
    const { overload, told } = overloadOf(0);
    overload.measureMemory(1e12);
    expect([overload.stage, told]).toEqual([0, []]);
  });

  it('tells an operator how much is used and who goes without', () => {
    const { overload } = overloadOf(1024 * 1024 * 1000);
    overload.measureMemory(1024 * 1024 * 910);
    expect(overload.findings).toEqual([
      {
        subject: 'memory',
        why: '91 % of 1000 MiB (limits.memoryBytesMax) is used: clients without a session are refused',
      },
    ]);
  });
});

describe('the lateness of the event loop', () => {
  it('counts above its mark, and until it was below half of it for a while', () => {
    const { overload, told } = overloadOf();
    overload.measureLag(200);
    expect(overload.isLate).toBe(false);
    overload.measureLag(201);
    expect(overload.isLate).toBe(true);
    expect(overload.findings).toMatchObject([{ subject: 'event loop' }]);
    for (let n = 0; n < 7; n++) overload.measureLag(0);
    overload.measureLag(101);
    for (let n = 0; n < 7; n++) overload.measureLag(100);
    expect(overload.isLate).toBe(true);
    overload.measureLag(100);
    expect(overload.isLate).toBe(false);
    expect(told).toEqual(['overload.entered event loop 1', 'overload.left event loop 1']);
  });
});
