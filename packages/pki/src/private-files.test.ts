import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assertOwn, ensurePrivateDirectory, readPrivateFile, writePrivateFile } from './private-files.ts';
import { withDataDirectory } from './testing/data-directory.ts';

const unsafe = (why: string) => expect.objectContaining({ code: 'MOT-0423', why: expect.stringContaining(why) });

it('what belongs to another user is not used', () =>
  withDataDirectory(async (data) => {
    const facts = await stat(data);
    expect(() => assertOwn(data, facts)).not.toThrow();
    const foreign = Object.assign(Object.create(facts), { uid: facts.uid + 1, mode: facts.mode });
    expect(() => assertOwn(data, foreign)).toThrow(unsafe(`belongs to user ${facts.uid + 1}`));
  }));

it('a directory is made closed, and one that is open is not quietly closed', () =>
  withDataDirectory(async (data) => {
    await ensurePrivateDirectory(join(data, 'a'));
    expect((await stat(join(data, 'a'))).mode & 0o777).toBe(0o700);
    await mkdir(join(data, 'b'), { mode: 0o755 });
    await expect(ensurePrivateDirectory(join(data, 'b'))).rejects.toThrow(unsafe('has mode 0755'));
    await writeFile(join(data, 'c'), '');
    await expect(ensurePrivateDirectory(join(data, 'c'))).rejects.toThrow(unsafe('is not a directory'));
    await expect(ensurePrivateDirectory(join(data, 'c', 'd'))).rejects.toMatchObject({ code: 'MOT-0428' });
  }));

it('a file is replaced whole, a link of its name included, and no draft stays', () =>
  withDataDirectory(async (data) => {
    await writeFile(join(data, 'target'), 'theirs');
    await symlink(join(data, 'target'), join(data, 'file'));
    await expect(readPrivateFile(join(data, 'file'))).rejects.toThrow(unsafe('is a symbolic link'));
    await writePrivateFile(data, 'file', 'ours');
    expect(await readPrivateFile(join(data, 'file'))).toBe('ours');
    expect(await readdir(data)).toEqual(['file', 'target']);
    expect((await stat(join(data, 'file'))).mode & 0o777).toBe(0o600);
    expect(await readPrivateFile(join(data, 'none'))).toBeUndefined();
    await expect(writePrivateFile(join(data, 'none'), 'file', '')).rejects.toMatchObject({ code: 'MOT-0428' });
  }));
