import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import type { Terminal } from './ask-passphrase.ts';
import { backupKeys, backupTo } from './keys.ts';
import { createProgress, renderBytes, renderProgress } from './progress.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-keys-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
afterAll(() => rmSync(folder, { recursive: true }));

/** A terminal at which somebody types these answers, each when it is asked for. */
function terminal(...answers: string[]): Terminal & { shown(): string; raw: boolean[] } {
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode(on: boolean) {
      raw.push(on);
      if (on) setImmediate(() => input.write(answers.shift() ?? '\u0003'));
    },
  });
  const raw: boolean[] = [];
  let shown = '';
  return { input, output: { write: (text) => (shown += text) }, shown: () => shown, raw };
}
const nobody: Terminal = { input: new PassThrough(), output: { write: () => undefined } };

describe('whom a backup is for', () => {
  it('a passphrase is asked for twice and never shown', async () => {
    const asked = terminal('several words hera\u007fe\r', 'several words here\r');
    expect(await backupTo({}, asked)).toEqual({ recipients: [], passphrase: 'several words here' });
    expect(asked.shown()).toBe('passphrase of the backup: \nonce more: \n');
    expect(asked.raw).toEqual([true, false, true, false]);
  });

  it.each([
    [['several words here\r', 'several words hers\r'], 'the two passphrases differ'],
    [['short\r'], 'a passphrase needs 12 characters'],
    [['\r'], 'a passphrase needs 12 characters'],
    [['several\u0003'], 'no passphrase was given'],
  ])('%j is refused: %s', async (answers, why) => {
    await expect(backupTo({}, terminal(...answers))).rejects.toMatchObject({ code: 'MOT-0002', why });
  });

  it('the first line of a file, whatever ends it', async () => {
    const passphraseFile = file('passphrase', 'several words here\r\nand a remark\n');
    expect(await backupTo({ passphraseFile }, nobody)).toEqual({ recipients: [], passphrase: 'several words here' });
  });

  it('nobody, a recipient that is none, or both kinds at once are refused', async () => {
    await expect(backupTo({}, nobody)).rejects.toMatchObject({ code: 'MOT-0002' });
    await expect(backupTo({ recipient: ['age1x'] }, nobody)).rejects.toMatchObject({ code: 'MOT-0439' });
    await expect(backupTo({ recipient: ['age1x'], passphraseFile: 'x' }, nobody)).rejects.toMatchObject({
      code: 'MOT-0002',
    });
    await expect(backupTo({ passphraseFile: join(folder, 'gone') }, nobody)).rejects.toMatchObject({
      code: 'MOT-0002',
    });
  });
});

describe('what a backup is opened with', () => {
  it('a passphrase is asked for once', async () => {
    expect(await backupKeys({}, 'passphrase', terminal('word\r'))).toEqual({ identities: [], passphrase: 'word' });
    await expect(backupKeys({}, 'passphrase', nobody)).rejects.toMatchObject({ code: 'MOT-0002' });
  });

  it('keys come from files, and a file without any is refused without showing what is in it', async () => {
    await expect(backupKeys({}, 'recipients', terminal())).rejects.toMatchObject({ code: 'MOT-0002' });
    const empty = file('empty', '# only a remark\n');
    await expect(backupKeys({ identity: [empty] }, 'recipients', nobody)).rejects.toMatchObject({ code: 'MOT-0002' });
    const wrong = file('wrong', 'hunter2\n');
    const refused = backupKeys({ identity: [wrong] }, 'recipients', nobody);
    await expect(refused).rejects.toMatchObject({ code: 'MOT-0439', message: expect.not.stringContaining('hunter2') });
  });
});

describe('progress', () => {
  it('has a bar where the end is known', () => {
    expect(renderProgress('store', 512, 1024, 7)).toBe(
      'store      [############............]  50 %  512 bytes  7 records',
    );
    expect(renderProgress('authority', 2048, 0)).toBe('authority  2.0 KiB');
    expect(renderProgress('store', 9, 8)).toContain('100 %');
    expect(renderBytes(5 * 1024 ** 3)).toBe('5.0 GiB');
  });

  it('is written over itself on a terminal and nowhere else', () => {
    const written: string[] = [];
    const output = { isTTY: true, write: (text: string) => written.push(text) };
    const progress = createProgress(output);
    progress.show('store', 1, 2);
    progress.show('store', 2, 2);
    progress.end();
    expect(written.every((text) => text.startsWith('\r') && !text.includes('\n'))).toBe(true);
    expect(written.at(-1)?.trim()).toBe('');
    const silent = createProgress({ write: (text: string) => written.push(text) });
    const before = written.length;
    silent.show('store', 1, 2);
    silent.end();
    expect(written).toHaveLength(before);
  });
});
