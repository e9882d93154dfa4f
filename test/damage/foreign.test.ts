// Files that are not ours, and a start of the real program on files it must not touch: one clear error, nothing changed.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClassicEngine } from '../../packages/broker/src/store/level/classic-engine.ts';
import { DamageFault } from '../../packages/broker/src/store/level/engine.ts';
import { FORMAT_KEY, FormatFault } from '../../packages/broker/src/store/level/format.ts';
import { startBroker } from '../../packages/motte/src/testing/program.ts';
import { filesOf, fill, openAt, readBack } from './store-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-foreign-'));
const ours = join(folder, 'ours');
beforeAll(() => fill(ours, 1, 20, 100));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes entries the way another program would: without our format, our seals, or our names. */
async function foreign(name: string, reopened: boolean): Promise<string> {
  const path = join(folder, name);
  mkdirSync(path);
  const engine = new ClassicEngine(path);
  await engine.open();
  for (let n = 0; n < 200; n++) {
    await engine.write([{ key: Buffer.from(`user:${n}`), value: Buffer.from(`{"name":"user ${n}"}`) }]);
  }
  await engine.close();
  if (reopened) {
    await engine.open();
    await engine.close();
  }
  return path;
}

async function newer(): Promise<string> {
  const path = join(folder, 'newer');
  cpSync(ours, path, { recursive: true });
  const engine = new ClassicEngine(path);
  await engine.open();
  await engine.write([{ key: FORMAT_KEY, value: Buffer.from('motte store 2') }]);
  await engine.close();
  return path;
}

function everything(path: string): Record<string, string> {
  const names = readdirSync(path, { recursive: true }) as string[];
  const files = names.filter((name) => statSync(join(path, name)).isFile());
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(path, name)).toString('hex')]));
}

async function startOn(store: string, name: string) {
  const data = join(folder, name);
  mkdirSync(data);
  cpSync(store, join(data, 'store'), { recursive: true });
  writeFileSync(join(data, 'motte.yaml'), 'listeners: []\nconsole: off\n');
  const before = everything(join(data, 'store'));
  const said = await startBroker(data).then(
    ({ child }) => {
      child.kill('SIGKILL');
      return 'it started';
    },
    (fault: Error) => fault.message,
  );
  return { said, before, after: everything(join(data, 'store')) };
}

describe('a directory that holds another program’s database', () => {
  it.each([
    ['only a log', false],
    ['with tables', true],
  ])('%s: is refused, and left as it was', async (name, reopened) => {
    const path = await foreign(name, reopened);
    const before = everything(path);
    await expect(openAt(path)).rejects.toThrow(FormatFault);
    expect(everything(path)).toEqual(before);
  });

  it('motte start says so in one line, exit 4, and changes nothing', async () => {
    const { said, before, after } = await startOn(join(folder, 'with tables'), 'data-foreign');
    expect(said).toMatch(/^ended with 4: motte: store refused: .*another program \(MOT-0206\)\n/);
    expect(after).toEqual(before);
  });
});

describe('a store of a newer Motte', () => {
  it('is refused by its number, exit 4, and left as it was', async () => {
    const path = await newer();
    const before = everything(path);
    await expect(openAt(path)).rejects.toThrow('its format is 2, this version reads 1: a newer Motte wrote it');
    expect(everything(path)).toEqual(before);
    const started = await startOn(path, 'data-newer');
    expect(started.said).toMatch(/^ended with 4: motte: store refused: .*a newer Motte wrote it \(MOT-0206\)\n/);
    expect(started.after).toEqual(started.before);
  });
});

describe('files of which nothing can be recognised', () => {
  it('are refused as damaged beyond repair, exit 4, and left as they were', async () => {
    const path = join(folder, 'rubbish');
    cpSync(ours, path, { recursive: true });
    for (const { name, bytes } of filesOf(path, /\.(log|ldb)$/))
      writeFileSync(
        join(path, name),
        bytes.map((byte) => byte ^ 0x5a),
      );
    await expect(openAt(path)).rejects.toThrow(DamageFault);
    const { said, before, after } = await startOn(path, 'data-rubbish');
    expect(said).toMatch(/^ended with 4: motte: store damaged: .*\(MOT-0207\)\n/);
    expect(after).toEqual(before);
  });
});

describe('a damaged store of the real program', () => {
  it('starts with what is whole, and names what is not', async () => {
    const data = join(folder, 'data-damaged');
    mkdirSync(data);
    cpSync(ours, join(data, 'store'), { recursive: true });
    const { name, bytes } = filesOf(join(data, 'store'), /\.log$/)[0] as { name: string; bytes: Buffer };
    bytes.fill(0xff, 2_000, 2_004);
    writeFileSync(join(data, 'store', name), bytes);
    const { items, troubles } = await readBack(join(data, 'store'));
    expect(items.size).toBeGreaterThan(19 * 4 - 8);
    expect(troubles.join()).toContain(name);
  });
});

describe('a directory in which nothing was ever stored', () => {
  it.each([
    ['is empty', []],
    ['was begun by a start that ended at once', ['MANIFEST-000001', 'LOCK', 'LOG', '000001.dbtmp']],
  ])('%s: is opened', async (name, files) => {
    const path = join(folder, name);
    mkdirSync(path);
    for (const file of files) writeFileSync(join(path, file), '');
    expect(await readBack(path)).toEqual({ items: new Set(), troubles: [] });
    await fill(path, 1, 3, 10);
    expect((await readBack(path)).items.size).toBe(11);
  });
});
