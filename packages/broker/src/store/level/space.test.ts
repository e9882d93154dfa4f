import { describe, expect, it } from 'vitest';
import { watchSpace } from './space.ts';

const MIB = 1024 * 1024;

async function watched(first: number) {
  const disk: { free: number; fault: Error | undefined } = { free: first, fault: undefined };
  let looks = 0;
  let next: () => void = () => undefined;
  const space = await watchSpace({
    freeBytesMin: 64 * MIB,
    look: () => {
      looks += 1;
      return disk.fault === undefined ? Promise.resolve(disk.free) : Promise.reject(disk.fault);
    },
    after: (_ms, run) => (next = run),
  });
  let changes = 0;
  space.onChange(() => (changes += 1));
  return {
    disk,
    space,
    changes: () => changes,
    looks: () => looks,
    async look() {
      next();
      await settled();
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('watching the space that is left', () => {
  it('knows of a shortage from the first moment on, and says how much is left', async () => {
    const { space } = await watched(12.5 * MIB);
    expect(space.shortage).toBe('the disk of the store has 12 MiB left');
    expect((await watched(64 * MIB)).space.shortage).toBeUndefined();
  });

  it('tells each change once, and the end only a little above the beginning', async () => {
    const { disk, space, changes, look } = await watched(100 * MIB);
    const seen: boolean[] = [];
    for (const free of [64, 63, 10, 64, 66, 68, 100, 63]) {
      disk.free = free * MIB;
      await look();
      seen.push(space.shortage !== undefined);
    }
    expect(seen).toEqual([false, true, true, true, true, false, false, true]);
    expect(changes()).toBe(3);
  });

  it('what is written quickly is noticed before the next second', async () => {
    const { disk, space, changes, looks } = await watched(100 * MIB);
    disk.free = 60 * MIB;
    space.wrote(3 * MIB);
    await settled();
    expect([looks(), changes()]).toEqual([1, 0]);
    space.wrote(2 * MIB);
    space.wrote(5 * MIB);
    await settled();
    expect([looks(), changes()]).toEqual([2, 1]);
    expect(space.shortage).toBe('the disk of the store has 60 MiB left');
  });

  it('a disk that cannot be asked changes nothing, and is asked again', async () => {
    const { disk, space, changes, look } = await watched(10 * MIB);
    disk.fault = new Error('gone');
    await look();
    expect(space.shortage).toBeDefined();
    disk.fault = undefined;
    disk.free = 100 * MIB;
    await look();
    expect(space.shortage).toBeUndefined();
    expect(changes()).toBe(1);
  });
});
