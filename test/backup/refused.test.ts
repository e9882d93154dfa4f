// What people do wrong with backups, at the program: one line that says why, the right exit code, and nothing changed.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { World } from './world.ts';

// Each test starts several programs, one after the other.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const LOST = '--accept-lost-revocations';
const world = new World();
let whole: Buffer;

/** A file of these bytes in the folder. */
function put(name: string, bytes: string | Uint8Array): string {
  writeFileSync(world.path(name), bytes);
  return name;
}

beforeAll(async () => {
  await world.makeKeys();
  await world.start('data', { fresh: true });
  await world.mustRun('data', 'backup', 'backup', '--recipient', world.recipient);
  await world.stop('data');
  whole = readFileSync(world.path('backup'));
});
afterAll(() => world.end());

const changed = (): Buffer => {
  const bytes = Buffer.from(whole);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  return bytes;
};

describe('restore', () => {
  it.each([
    [
      'cut off in the middle',
      () => whole.subarray(0, whole.length >> 1),
      'key',
      /^motte: damaged backup: .*its end is missing.*\(MOT-0806\)$/,
    ],
    ['without its last byte', () => whole.subarray(0, -1), 'key', /^motte: damaged backup: .*\(MOT-0806\)$/],
    ['empty', () => Buffer.alloc(0), 'key', /^motte: damaged backup: .*\(MOT-0806\)$/],
    ['with a bit changed', changed, 'key', /^motte: damaged backup: .*its checksum is wrong.*\(MOT-0806\)$/],
    ['of another program', () => Buffer.from('SQLite format 3\0'), 'key', /^motte: not a backup: .*\(MOT-0804\)$/],
    [
      'of a newer Motte',
      () => Buffer.concat([Buffer.from('motte backup 2\n'), whole]),
      'key',
      /^motte: backup of a newer Motte: .*format 2, this version reads 1.*\(MOT-0805\)$/,
    ],
    ['for somebody else', () => whole, 'other', /^motte: the backup cannot be opened: .*\(MOT-0807\)$/],
  ])('a file %s: exit 4, or 1 with --verify, one line, and no directory', async (_, make, key, line) => {
    put('case', make());
    const restored = await world.run('target', 'restore', 'case', '--identity', key, LOST);
    expect(restored).toMatchObject({ exit: 4, out: '' });
    expect(restored.err.split('\n')).toEqual([expect.stringMatching(line), expect.stringMatching(/^ {2}\S/), '']);
    const verified = await world.run('target', 'restore', 'case', '--identity', key, '--verify', '--json');
    expect(verified).toMatchObject({ exit: 1 });
    expect(verified.err).toBe(restored.err);
    expect(JSON.parse(verified.out)).toMatchObject({ format: 1, ok: false, code: /MOT-\d+/.exec(line.source)?.[0] });
    expect(readdirSync(world.folder).filter((name) => name.startsWith('target'))).toEqual([]);
  });

  it.each([
    [['restore', 'backup', LOST], 'the backup is encrypted to a recipient'],
    [['restore', 'backup', LOST, '--identity', 'nowhere'], 'nowhere: there is no such file'],
    [['restore', 'backup', LOST, '--identity', 'passphrase'], 'an identity is not of the form AGE-SECRET-KEY-1…'],
    [['restore', 'backup', '--verify', LOST], '--verify restores nothing'],
    [['restore'], "missing required argument 'file'"],
    [['backup', 'new'], 'nobody is named who can open the backup'],
    [['backup', 'new', '--recipient', 'age1nobody'], '"age1nobody" is not an age recipient'],
    [['backup', 'new', '--passphrase', 'typed here'], "unknown option '--passphrase'"],
  ])('%j is wrong usage: exit 2', async (args, why) => {
    expect(await world.run('target', ...args)).toMatchObject({ exit: 2, out: '', err: expect.stringContaining(why) });
    expect(existsSync(world.path('new'))).toBe(false);
  });
});

describe('backup', () => {
  it('where no broker ever was: exit 4, and no file', async () => {
    const { exit, err } = await world.run('nowhere', 'backup', 'new', '--recipient', world.recipient);
    expect({ exit, err }).toEqual({ exit: 4, err: expect.stringContaining('(MOT-0201)') });
    expect(readdirSync(world.folder).filter((name) => name.startsWith('new') || name === 'nowhere')).toEqual([]);
  });

  it('of a broker that keeps its state in memory: exit 4 with the reason, and no file', async () => {
    await world.start('memory', { fresh: true, yaml: 'store: { kind: memory }\n' });
    const { exit, err } = await world.run('memory', 'backup', 'new', '--recipient', world.recipient);
    expect({ exit, err }).toEqual({ exit: 4, err: expect.stringMatching(/store\.kind is memory \(MOT-0801\)/) });
    expect(readdirSync(world.folder).filter((name) => name.startsWith('new'))).toEqual([]);
  });

  it('whose motte.yaml is refused by now is made, and says so', async () => {
    writeFileSync(world.path('data', 'motte.yaml'), 'listners: []\n');
    const { exit, err } = await world.run('data', 'backup', 'noted', '--recipient', world.recipient);
    expect({ exit, err }).toEqual({ exit: 0, err: expect.stringMatching(/^motte: note: motte\.yaml:1:1: /) });
    expect(await world.run('data', 'restore', 'noted', '--verify', '--identity', 'key')).toMatchObject({ exit: 1 });
  });
});
