// An authority that is ended or killed in the middle of its work: the next one finds all of it, or nothing.

import { execFileSync } from 'node:child_process';
import { cpSync, promises as fs } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createKeyAndCsr } from '../keys.ts';
import { withDataDirectory } from '../testing/data-directory.ts';
import { type RunningAuthority, startAuthority } from './start.ts';

const { csr } = await createKeyAndCsr('x', { type: 'ec' });

const issued = async (data: string): Promise<string[]> =>
  (await readFile(join(data, 'pki', 'issued.jsonl'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => String((JSON.parse(line) as { serial: unknown }).serial));

type Calls = Record<string, (...args: unknown[]) => Promise<unknown>>;

/** Calls `at` before and after every step that changes the disk, until the answer is called. */
async function atEveryStep(path: string, at: () => void): Promise<() => void> {
  const probe = await open(path);
  const handles = Object.getPrototypeOf(probe) as Calls;
  await probe.close();
  const undo: (() => void)[] = [];
  const watch = (calls: Calls, name: string): void => {
    const real = calls[name] as Calls[string];
    calls[name] = async function (this: unknown, ...args: unknown[]) {
      at();
      const result = await real.apply(this, args);
      at();
      return result;
    };
    undo.push(() => {
      calls[name] = real;
    });
  };
  for (const name of ['rename', 'open', 'rm', 'mkdir']) watch(fs as unknown as Calls, name);
  for (const name of ['appendFile', 'writeFile']) watch(handles, name);
  return () => {
    for (const one of undo) one();
  };
}

describe('killed at any step', () => {
  const works: readonly [string, (authority: RunningAuthority) => Promise<unknown>][] = [
    ['issue', ({ administrator }) => administrator.issueDevice({ name: 'pump-2', csr })],
    ['revoke', ({ administrator }) => administrator.revokeDevice({ name: 'pump-1' })],
    ['token', ({ administrator }) => administrator.addToken({ name: 'pump-3', roles: ['device'], seconds: 600 })],
    ['replace the CA', ({ administrator }) => administrator.rotateCa('30d')],
  ];

  it.each(works)('to %s: what is on the disk then starts, knows what was given out, and issues', (_, work) =>
    withDataDirectory(async (data) => {
      const authority = await startAuthority({ data });
      const folder = await mkdtemp(join(tmpdir(), 'motte-killed-'));
      let count = 0;
      try {
        const { serial } = await authority.administrator.issueDevice({ name: 'pump-1', csr });
        const stop = await atEveryStep(join(data, 'pki', 'issued.jsonl'), () => {
          count += 1;
          // What a killed process leaves of its lock is a dead socket, which no copy can be made of.
          const filter = (path: string) => !path.includes('/lock');
          cpSync(join(data, 'pki'), join(folder, String(count), 'pki'), { recursive: true, filter });
        });
        await work(authority).finally(stop);
        for (let n = 1; n <= count; n += 1) {
          const again = await startAuthority({ data: join(folder, String(n)) });
          expect((await again.administrator.showDevice('pump-1')).history.map((one) => one.serial)).toEqual([serial]);
          const next = await again.administrator.issueDevice({ name: 'pump-2', csr, force: true });
          expect(await issued(join(folder, String(n)))).toContain(next.serial);
          const { issuing } = await again.broker.trust();
          expect(issuing).toContain(next.issuing);
          await again.close();
        }
      } finally {
        await authority.close();
        await rm(folder, { recursive: true, force: true });
      }
      expect(count).toBeGreaterThan(1);
    }),
  );

  it('a ledger cut off at any byte of its last line starts without that line alone', () =>
    withDataDirectory(async (data) => {
      const authority = await startAuthority({ data });
      await authority.administrator.issueDevice({ name: 'pump-1', csr });
      const path = join(data, 'pki', 'issued.jsonl');
      const before = await readFile(path);
      await authority.administrator.issueDevice({ name: 'pump-2', csr });
      await authority.close();
      const whole = await readFile(path);
      const cuts = [1, 2, Math.floor((whole.length - before.length) / 2), whole.length - before.length - 1];
      for (const cut of cuts) {
        await writeFile(path, whole.subarray(0, before.length + cut), { mode: 0o600 });
        const again = await startAuthority({ data });
        expect((await again.administrator.listDevices()).map(({ name }) => name)).toEqual(['pump-1']);
        await again.close();
        expect(await readFile(path)).toEqual(before);
      }
    }));
});

it('told to end while it replaces the CA, it is gone only when that is done', () =>
  withDataDirectory(async (data) => {
    const authority = await startAuthority({ data });
    const rotated = authority.administrator.rotateCa('30d');
    await authority.close();
    // Nobody else could have had the lock before.
    expect(await readdir(join(data, 'pki'))).toContain('authorities.json');
    expect((await rotated).old).not.toBeNull();
    await expect(authority.administrator.issueDevice({ name: 'pump-1', csr })).rejects.toMatchObject({
      code: 'MOT-0421',
      why: 'it is ending',
    });
    const again = await startAuthority({ data });
    expect((await again.administrator.showCa()).old).not.toBeNull();
    await again.close();
  }));

const canMount = process.getuid?.() === 0 && process.platform === 'linux' && mounts();

/** Containers may be root and still not mount. */
function mounts(): boolean {
  const path = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'none', path], { stdio: 'ignore' });
    execFileSync('umount', [path]);
    return true;
  } catch {
    return false;
  } finally {
    execFileSync('rmdir', [path]);
  }
}

describe(`a disk that is full${canMount ? '' : ' (nothing can be mounted here)'}`, { skip: !canMount }, () => {
  it('issues nothing and leaves no half line; with room again everything goes on', () =>
    withDataDirectory(async (base) => {
      const data = join(base, 'small');
      await fs.mkdir(data, { mode: 0o700 });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=700', 'none', data]);
      let authority: RunningAuthority | undefined;
      try {
        authority = await startAuthority({ data });
        const { administrator, broker } = authority;
        await administrator.issueDevice({ name: 'pump-1', csr });
        const path = join(data, 'pki', 'issued.jsonl');
        const before = await readFile(path);
        const { bavail, bsize } = await statfs(data);
        await writeFile(join(data, 'filler'), Buffer.alloc((bavail - 1) * bsize, 1));
        // The rest of the last page takes a few.
        const names: string[] = [];
        const refusal = await (async () => {
          for (let n = 0; ; n += 1) {
            const name = `filler-${n}`;
            const fault = await administrator.issueDevice({ name, csr }).then(
              () => names.push(name),
              (fault: unknown) => ({ fault }),
            );
            if (typeof fault === 'object') return fault.fault;
          }
        })();
        expect(refusal).toMatchObject({ code: 'MOT-0428', why: expect.stringContaining('ENOSPC') });
        await expect(administrator.rotateCa('30d')).rejects.toMatchObject({ code: 'MOT-0428' });
        await expect(administrator.addToken({ name: 'pump-9', roles: ['device'], seconds: 600 })).rejects.toMatchObject(
          { code: 'MOT-0428' },
        );
        const full = await readFile(path);
        expect(full.subarray(0, before.length)).toEqual(before);
        expect(full.at(-1)).toBe(0x0a);
        // What needs no writing is answered all the same.
        expect((await broker.trust()).realm).toBe('ca:motte');
        await rm(join(data, 'filler'));
        await administrator.rotateCa('30d');
        await administrator.issueDevice({ name: 'pump-2', csr });
        await authority.close();
        authority = await startAuthority({ data });
        const known = (await authority.administrator.listDevices()).map(({ name }) => name);
        expect(known).toEqual([...names, 'pump-1', 'pump-2'].sort());
      } finally {
        await authority?.close();
        execFileSync('umount', [data]);
      }
    }));
});
