import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { acquireLock } from '../authority/lock.ts';
import { startAuthority } from '../authority/start.ts';
import { createKeyAndCsr } from '../keys.ts';
import { withDataDirectory } from '../testing/data-directory.ts';
import { withAuthority } from './offline.ts';

it('the same work goes through a running authority, and without one in this process', () =>
  withDataDirectory(async (data) => {
    const { csr } = await createKeyAndCsr('x', { type: 'ec' });
    const authority = await startAuthority({ data });
    await withAuthority(data, async (administrator, where) => {
      expect(where).toBe('running');
      await administrator.issueDevice({ name: 'a', csr });
    });
    await authority.close();
    await withAuthority(data, async (administrator, where) => {
      expect(where).toBe('offline');
      await administrator.issueDevice({ name: 'b', csr });
      await expect(administrator.issueDevice({ name: 'a', csr })).rejects.toMatchObject({ code: 'MOT-0431' });
      // While it works, no authority can start.
      await expect(startAuthority({ data, lockWaitMs: 0 })).rejects.toMatchObject({ code: 'MOT-0422' });
    });
    expect(await readdir(join(data, 'pki', 'lock'))).toEqual([]);
    const again = await startAuthority({ data });
    expect((await again.administrator.listDevices()).map(({ name }) => name)).toEqual(['a', 'b']);
    await again.close();
  }));

it('the lock is given back when the work fails', () =>
  withDataDirectory(async (data) => {
    await (await startAuthority({ data })).close();
    await expect(withAuthority(data, () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
    expect(await readdir(join(data, 'pki', 'lock'))).toEqual([]);
  }));

it('two at once take turns', () =>
  withDataDirectory(async (data) => {
    await (await startAuthority({ data })).close();
    const { csr } = await createKeyAndCsr('x', { type: 'ec' });
    const add = (name: string) => withAuthority(data, (administrator) => administrator.issueDevice({ name, csr }));
    await Promise.all([add('a'), add('b'), add('c')]);
    expect(await withAuthority(data, (administrator) => administrator.listDevices())).toHaveLength(3);
  }));

it('a held lock without an authority is said after the wait', () =>
  withDataDirectory(async (data) => {
    await (await startAuthority({ data })).close();
    const lock = await acquireLock(join(data, 'pki', 'lock'), 0);
    const work = withAuthority(data, async () => undefined, { lockWaitMs: 100 });
    await expect(work).rejects.toMatchObject({ code: 'MOT-0422' });
    await lock.release();
  }));

it('a directory that was never started gets no CA by mistake', () =>
  withDataDirectory(async (data) => {
    for (const path of [data, join(data, 'not', 'there')]) {
      await expect(withAuthority(path, async () => undefined)).rejects.toMatchObject({ code: 'MOT-0436' });
    }
    expect(await readdir(data)).toEqual([]);
  }));
