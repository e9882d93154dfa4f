import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entry, Walk } from '../engine.ts';
import { DamageFault } from '../engine.ts';
import { FORMAT_KEY, FORMAT_VALUE } from '../format.ts';
import { inspectFiles } from './inspect.ts';
import { StoredRecords } from './stored-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-stored-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The least that LevelDB takes: tables come soon, and lie over one another. */
function databaseAt(path: string): ClassicLevel<Uint8Array, Uint8Array> {
  const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
  return new ClassicLevel(path, { ...encodings, compression: false, writeBufferSize: 64 * 1024 });
}

/** Numbers of one seed, the same in every run. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state >>> 8;
  }
}

/** Some keys share much of their beginning, some are longer than most, some are the beginning of others. */
function keyOf(n: number): Uint8Array {
  const name = `${n % 7 === 0 ? 'long '.repeat(60) : 'key/'}${String(n % 700).padStart(1 + (n % 4), '0')}`;
  return Buffer.from(name);
}

/** Openings one after the other, each with writes of which later ones replace and remove what is there. */
async function fill(path: string, openings: number): Promise<void> {
  mkdirSync(path);
  const random = numbers(openings);
  const next = (): number => random.next().value as number;
  for (let opening = 0; opening < openings; opening++) {
    const db = databaseAt(path);
    await db.open();
    await db.put(FORMAT_KEY, FORMAT_VALUE);
    for (let batch = 0; batch < 40; batch++) {
      const chained = db.batch();
      for (let n = 0; n < 60; n++) {
        if (next() % 3 === 0) chained.del(keyOf(next()));
        else chained.put(keyOf(next()), Buffer.alloc(next() % 300, next() % 256));
      }
      await chained.write();
    }
    await db.close();
  }
}

async function storedAt(path: string): Promise<StoredRecords> {
  const inspection = await inspectFiles(path);
  expect(inspection.damages).toEqual([]);
  return new StoredRecords(path, inspection);
}

async function all(walk: Walk, max: number): Promise<string[]> {
  const entries: Entry[] = [];
  for (let page = await walk.next(max); page.length > 0; page = await walk.next(max)) {
    expect(page.length).toBeLessThanOrEqual(max);
    entries.push(...page);
  }
  await walk.close();
  return entries.map(([key, value]) => `${Buffer.from(key).toString('latin1')}=${Buffer.from(value).toString('hex')}`);
}

describe('records read from the files', () => {
  const path = join(folder, 'store');
  const logged = join(folder, 'logged');
  let expected: Map<string, readonly string[]>;

  /** As LevelDB gives them; opening it changes the files, so that they are read before. */
  async function inLevel(where: string): Promise<readonly string[]> {
    const db = databaseAt(where);
    await db.open();
    const entries = await db.iterator().all();
    await db.close();
    return entries.map(
      ([key, value]) => `${Buffer.from(key).toString('latin1')}=${Buffer.from(value).toString('hex')}`,
    );
  }

  beforeAll(async () => {
    await fill(path, 6);
    await fill(logged, 1);
    expected = new Map();
  });

  for (const [name, where] of [
    ['of several openings', path],
    ['of one', logged],
  ] as const) {
    it(`${name}: are those that LevelDB gives, whatever the range and the page`, async () => {
      const copy = join(folder, `${name} copied`);
      mkdirSync(copy);
      for (const file of readdirSync(where)) writeFileSync(join(copy, file), readFileSync(join(where, file)));
      const whole = await inLevel(copy);
      expected.set(where, whole);
      expect(whole.length).toBeGreaterThan(100);
      const names = readdirSync(where);
      expect(names.filter((file) => file.endsWith('.ldb')).length).toBeGreaterThan(1);
      expect(names.some((file) => file.endsWith('.log'))).toBe(true);
      const stored = await storedAt(where);
      const keysOf = (entry: string): string => entry.slice(0, entry.lastIndexOf('='));
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 500 }), async (one, other, max) => {
          const [from, to] = [keyOf(one), keyOf(other)];
          const [a, b] = [from, to].map((key) => Buffer.from(key).toString('latin1')) as [string, string];
          const wanted = whole.filter((entry) => keysOf(entry) >= a && keysOf(entry) < b);
          expect(await all(stored.scan(from, to), max)).toEqual(wanted);
        }),
        { numRuns: 60 },
      );
      expect(await all(stored.scan(Uint8Array.of(0), Uint8Array.of(0xff)), 100)).toEqual(whole);
    });
  }

  it('of a block that was damaged since they were checked are not given', async () => {
    const stored = await storedAt(path);
    for (const file of readdirSync(path).filter((one) => one.endsWith('.ldb'))) {
      const bytes = readFileSync(join(path, file));
      bytes[100] = (bytes[100] as number) ^ 1;
      writeFileSync(join(path, file), bytes);
    }
    await expect(all(stored.scan(Uint8Array.of(0), Uint8Array.of(0xff)), 100)).rejects.toThrow(DamageFault);
  });

  it('are none where there is no store yet', async () => {
    const none = join(folder, 'none');
    mkdirSync(none);
    const stored = await storedAt(none);
    expect(await all(stored.scan(Uint8Array.of(0), Uint8Array.of(0xff)), 10)).toEqual([]);
  });
});
