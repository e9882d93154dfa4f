import { describe, expect, it } from 'vitest';
import { connectionsMax, HOST_GAUGE, ownMemoryBytes, TimeSlices } from './host.ts';

describe('connectionsMax', () => {
  it.each([
    ['4096', 3_584],
    ['1024', 512],
    ['300', 150],
  ])('of %s files keeps some for administration', (files, most) => {
    const limits = `Limit                     Soft Limit           Hard Limit           Units\nMax processes             7                    7                    processes\nMax open files            ${files}                 9999                 files\n`;
    expect(connectionsMax(limits)).toBe(most);
  });

  it('has no bound where the system has none, or does not say', () => {
    expect(connectionsMax('Max open files            unlimited            unlimited            files\n')).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(connectionsMax('')).toBe(Number.POSITIVE_INFINITY);
  });

  it('is read from this host', () => {
    expect(connectionsMax()).toBeGreaterThan(0);
  });
});

describe('memory', () => {
  it('is what the process has of its own, without the files it has mapped', () => {
    expect(ownMemoryBytes('VmRSS:\t  900 kB\nRssAnon:\t     100 kB\nRssFile:\t     800 kB\n')).toBe(102_400);
    expect(ownMemoryBytes('VmRSS:\t  900 kB\n')).toBeUndefined();
    expect(HOST_GAUGE.memoryBytes()).toBeGreaterThan(1024 * 1024);
    if (process.platform === 'linux') expect(HOST_GAUGE.memoryBytes()).toBeLessThan(process.memoryUsage.rss());
  });
});

it('a standstill is seen also if it was looked for before its end was noted', async () => {
  const sampled = () => new Promise((resolve) => setTimeout(resolve, 200));
  HOST_GAUGE.lagMs();
  await sampled();
  HOST_GAUGE.lagMs();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
  // Nothing that measures has had its turn yet.
  const first = HOST_GAUGE.lagMs();
  await sampled();
  expect(Math.max(first, HOST_GAUGE.lagMs())).toBeGreaterThan(100);
});

describe('TimeSlices', () => {
  it('gives so long in one turn and so long altogether, and what others took between counts for neither', async () => {
    let nowMs = 1_000;
    const time = new TimeSlices({ monotonicMs: () => nowMs }, { sliceMs: 20, wholeMs: 50 });
    nowMs += 19;
    expect([time.pause(), time.isLeft]).toEqual([undefined, true]);
    nowMs += 11;
    const pause = time.pause();
    expect(pause).toBeInstanceOf(Promise);
    nowMs += 5_000;
    await pause;
    expect([time.pause(), time.isLeft]).toEqual([undefined, true]);
    nowMs += 20;
    expect(time.isLeft).toBe(false);
  });
});
