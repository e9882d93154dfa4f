import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { withDataDirectory } from '../testing/data-directory.ts';
import { acquireLock } from './lock.ts';

const held = expect.objectContaining({ code: 'MOT-0422' });

it('a second claimant is refused by the process id of the first, until the first lets go', () =>
  withDataDirectory(async (data) => {
    const directory = join(data, 'lock');
    const first = await acquireLock(directory, 0);
    await expect(acquireLock(directory, 0)).rejects.toThrow(`process ${process.pid} holds`);
    await first.release();
    const second = await acquireLock(directory, 0);
    await second.release();
    expect(await readdir(directory)).toEqual([]);
  }));

it('of many at once never two hold it, and all get it in the end', () =>
  withDataDirectory(async (data) => {
    const directory = join(data, 'lock');
    let holders = 0;
    let most = 0;
    const one = async () => {
      const lock = await acquireLock(directory, 15_000);
      holders += 1;
      most = Math.max(most, holders);
      await new Promise((resolve) => setImmediate(resolve));
      holders -= 1;
      await lock.release();
    };
    await Promise.all(Array.from({ length: 12 }, one));
    expect(most).toBe(1);
    expect(await readdir(directory)).toEqual([]);
  }));

it('a claim and a draft left by kill -9 hold nobody up and are removed', () =>
  withDataDirectory(async (data) => {
    const directory = join(data, 'lock');
    await mkdir(directory, { mode: 0o700 });
    const paths = ['1-00000000', 'draft-1-00000001'].map((name) => join(directory, name));
    const program = `for (const path of process.argv.slice(1)) require('net').createServer().listen(path, () => console.log(path))`;
    const child = spawn(process.execPath, ['-e', program, '--', ...paths], { stdio: ['ignore', 'pipe', 'inherit'] });
    while ((await readdir(directory)).length < 2) await once(child.stdout, 'data');
    await expect(acquireLock(directory, 0)).rejects.toThrow(held);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(await readdir(directory)).toHaveLength(2);
    const lock = await acquireLock(directory, 0);
    expect(await readdir(directory)).toHaveLength(1);
    await lock.release();
  }));

it('what is none of ours is neither removed nor followed', () =>
  withDataDirectory(async (data) => {
    const directory = join(data, 'lock');
    await mkdir(directory, { mode: 0o700 });
    await writeFile(join(directory, '1-00000000'), 'mine');
    await expect(acquireLock(directory, 0)).rejects.toThrow(expect.objectContaining({ code: 'MOT-0423' }));
    expect(await readdir(directory)).toEqual(['1-00000000']);
    await symlink(directory, join(data, 'link'));
    await expect(acquireLock(join(data, 'link'), 0)).rejects.toThrow('is not a directory');
  }));
