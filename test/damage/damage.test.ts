// Damage to the files of a real store: what a start then finds is exactly what was written, what it does not find is reported,
// and a fault in one place costs what stood in that place.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Found, filesOf, fill, flip, readBack, SESSIONS } from './store-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-damage-'));
const whole = join(folder, 'whole');
let all: ReadonlySet<string>;
let copies = 0;

beforeAll(async () => {
  await fill(whole, 1, 40, 150);
  // Opening anew makes tables of what was in the log.
  await fill(whole, 40, 80, 300);
  await fill(whole, 80, 120, 100);
  all = (await readBack(copy())).items;
});
afterAll(() => rmSync(folder, { recursive: true }));

function copy(): string {
  const path = join(folder, String(copies++));
  cpSync(whole, path, { recursive: true });
  return path;
}

/** Starts twice: what the first start put right stays right, and is not reported again. */
async function start(path: string): Promise<Found & { readonly missing: readonly string[] }> {
  const first = await readBack(path);
  for (const item of first.items) expect(all, 'nothing is made up').toContain(item);
  const second = await readBack(path);
  expect(second.items).toEqual(first.items);
  expect(second.troubles.filter((why) => !why.includes('record'))).toEqual([]);
  rmSync(path, { recursive: true });
  return { ...first, missing: [...all].filter((item) => !first.items.has(item)) };
}

describe('the store that is damaged here', () => {
  it('is whole, and has tables and a log', () => {
    expect(all.size).toBe(119 * (SESSIONS.length + 1) + SESSIONS.length);
    expect(filesOf(whole, /\.ldb$/).length).toBeGreaterThanOrEqual(2);
    expect(filesOf(whole, /\.log$/)[0]?.bytes.length).toBeGreaterThan(10_000);
  });
});

describe('a flipped bit', () => {
  for (const [kind, pattern] of [
    ['a table', /\.ldb$/],
    ['the log', /\.log$/],
    ['the list of files', /^MANIFEST/],
    ['CURRENT', /^CURRENT$/],
  ] as const) {
    it(`in ${kind}: is noticed, and costs no more than what stands beside it`, { timeout: 120_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.nat(), async (which, where) => {
          const path = copy();
          const files = filesOf(path, pattern);
          const { name, bytes } = files[which % files.length] as (typeof files)[number];
          flip(path, name, where % (bytes.length * 8));
          const { missing, troubles } = await start(path);
          if (missing.length > 0) expect(troubles.length).toBeGreaterThan(0);
          // In a table sixteen keys stand together; a message that two sessions share is one record and two of the texts.
          const most = kind === 'a table' ? 2 * 16 : kind === 'the log' ? 8 : 0;
          expect(missing.length, `${name}: ${troubles.join()}`).toBeLessThanOrEqual(most);
        }),
        { numRuns: kind === 'a table' || kind === 'the log' ? 60 : 20 },
      );
    });
  }
});

describe('a file cut short', () => {
  it('a table: what stood before the cut is there, the rest is reported', { timeout: 120_000 }, async () => {
    for (const part of [0, 0.1, 0.5, 0.9, 0.999]) {
      const path = copy();
      const { name, bytes } = filesOf(path, /\.ldb$/)[0] as { name: string; bytes: Buffer };
      truncateSync(join(path, name), Math.floor(bytes.length * part));
      const { missing, troubles } = await start(path);
      expect(troubles.join()).toContain(name);
      if (part === 0.999) expect(missing).toEqual([]);
      expect(missing.length).toBeLessThan(200);
    }
  });

  it('the log: what stood before the cut is there', { timeout: 120_000 }, async () => {
    for (const part of [0, 0.25, 0.5, 0.75, 0.99]) {
      const path = copy();
      const { name, bytes } = filesOf(path, /\.log$/)[0] as { name: string; bytes: Buffer };
      truncateSync(join(path, name), Math.floor(bytes.length * part));
      const { missing } = await start(path);
      // 40 rounds of four texts stand in it, one after the other.
      expect(missing.length).toBeLessThanOrEqual(Math.ceil(40 * (1 - part) + 1) * 4);
    }
  });

  it('the list of files, or CURRENT: nothing is lost', { timeout: 60_000 }, async () => {
    for (const pattern of [/^MANIFEST/, /^CURRENT$/]) {
      for (const part of [0, 0.5]) {
        const path = copy();
        const { name, bytes } = filesOf(path, pattern)[0] as { name: string; bytes: Buffer };
        truncateSync(join(path, name), Math.floor(bytes.length * part));
        expect((await start(path)).missing).toEqual([]);
      }
    }
  });
});

describe('a file that is missing', () => {
  it.each(['CURRENT', 'MANIFEST'])('%s: nothing is lost, and it is reported', async (what) => {
    const path = copy();
    for (const { name } of filesOf(path, new RegExp(`^${what}`))) rmSync(join(path, name));
    const { missing, troubles } = await start(path);
    expect(missing).toEqual([]);
    expect(troubles.join()).toContain('missing');
  });

  it.each(['.ldb', '.log'])('a %s: it is named, and what stands elsewhere is there', async (end) => {
    const path = copy();
    const { name } = filesOf(path, new RegExp(`\\${end}$`))[0] as { name: string };
    rmSync(join(path, name));
    const { items, troubles } = await start(path);
    expect(troubles.join()).toContain(name);
    expect(items.size).toBeGreaterThan(100);
  });
});

describe('a damaged block in the log', () => {
  it('does not cost what follows it', async () => {
    const path = copy();
    const { name, bytes } = filesOf(path, /\.log$/)[0] as { name: string; bytes: Buffer };
    bytes.fill(0xa5, 5_000, 5_050);
    writeFileSync(join(path, name), bytes);
    const { missing, troubles } = await start(path);
    expect(troubles.join()).toContain(`${name}: `);
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.length).toBeLessThanOrEqual(8);
  });
});

describe('what was damaged', () => {
  it('is kept as it was found', async () => {
    const path = copy();
    const { name, bytes } = filesOf(path, /\.log$/)[0] as { name: string; bytes: Buffer };
    bytes.fill(0xa5, 5_000, 5_050);
    writeFileSync(join(path, name), bytes);
    await readBack(path);
    const kept = readdirSync(join(path, 'lost'));
    expect(kept).toHaveLength(1);
    expect(readFileSync(join(path, 'lost', kept[0] as string))).toEqual(bytes);
  });
});

describe('a start that was interrupted while it put the files right', () => {
  it('goes on or begins again, whatever was done', async () => {
    const path = copy();
    mkdirSync(join(path, 'rebuilt'));
    writeFileSync(join(path, 'rebuilt', '000005.ldb'), 'half');
    expect((await start(path)).missing).toEqual([]);
  });
});
