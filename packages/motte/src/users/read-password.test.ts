import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createContext } from '../context.ts';
import { readPassword } from './read-password.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-password-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(content: string | Uint8Array, mode = 0o600): Promise<{ password: string; warnings: string[] }> {
  const path = join(folder, `p${lastFile++}`);
  writeFileSync(path, content, { mode });
  return readPath(path);
}
let lastFile = 0;

async function readPath(passwordFile: string): Promise<{ password: string; warnings: string[] }> {
  const warnings: string[] = [];
  const context = { ...createContext({}, {}), warn: (text: string) => void warnings.push(text) };
  return { password: await readPassword(context, 'ada', { passwordFile }), warnings };
}

it.each([
  ['secret', 'secret'],
  ['secret\n', 'secret'],
  ['secret\r\n', 'secret'],
  ['secret\n\n', 'secret\n'],
  [' secret ', ' secret '],
])('takes %j as %j', async (content, password) => {
  expect(await read(content)).toEqual({ password, warnings: [] });
});

it('says when others can read the file', async () => {
  expect((await read('secret', 0o644)).warnings).toEqual([expect.stringContaining('can be read by others')]);
});

it.each<[string, () => Promise<unknown>, string]>([
  ['bytes that are no text', () => read(Uint8Array.of(0xff, 0xfe)), 'not text in UTF-8'],
  ['too much', () => read('x'.repeat(4097)), 'more than 4096 bytes'],
  ['no file', () => readPath(join(folder, 'nowhere')), 'no such file'],
  ['a directory', () => readPath(folder), 'is a directory'],
])('%s is an error', async (_what, work, why) => {
  await expect(work()).rejects.toMatchObject({ code: 'MOT-0624', why: expect.stringContaining(why) });
});
