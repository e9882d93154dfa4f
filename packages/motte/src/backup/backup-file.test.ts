import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type BackupHead, headText, indexText, sealText } from './container.ts';
import { openBackup } from './read-file.ts';
import { createBackupFile } from './write-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-backup-file-'));
const path = join(folder, 'backup');
const HEAD: BackupHead = {
  id: '0123456789abcdef0123456789abcdef',
  motte: '0.1.0',
  made: '2026-01-01T00:00:00.000Z',
  ca: 'ab'.repeat(32),
  store: 1,
  to: 'recipients',
  parts: ['broker', 'authority'],
};
let whole: Buffer;

async function* streamOf(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function make(at = path): Promise<void> {
  const file = await createBackupFile(at);
  await file.head(HEAD);
  await file.part('broker', streamOf('one ', 'part\n'), () => undefined);
  await file.part('authority', streamOf('the other'), () => undefined);
  await file.finish();
}

/** How a file of these bytes is refused. */
async function refusal(bytes: Uint8Array): Promise<string> {
  writeFileSync(join(folder, 'case'), bytes);
  return openBackup(join(folder, 'case'), () => undefined).then(
    async (backup) => {
      await backup.close();
      return 'taken';
    },
    ({ code }: { code: string }) => code,
  );
}

/** A file with a right seal around these texts. */
function sealed(head: string, content: string, index: string): Buffer {
  const before = Buffer.from(head + content + index);
  return Buffer.concat([
    before,
    Buffer.from(sealText(index.length, createHash('sha256').update(before).digest('hex'))),
  ]);
}

beforeAll(async () => {
  await make();
  whole = readFileSync(path);
});
afterEach(() => rmSync(join(folder, 'case'), { force: true, recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a backup's file", () => {
  it('gives back head and parts, and nobody else can read it', async () => {
    const backup = await openBackup(path, () => undefined);
    expect(backup.head).toEqual(HEAD);
    const texts: string[] = [];
    for (const name of ['broker', 'authority'] as const) {
      let text = '';
      for await (const chunk of backup.read(name)) text += Buffer.from(chunk).toString();
      texts.push(text);
    }
    await backup.close();
    expect(texts).toEqual(['one part\n', 'the other']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['backup']);
  });

  it('cut off at any byte is damaged', async () => {
    for (let length = 0; length < whole.length; length++) {
      expect(await refusal(whole.subarray(0, length)), `after ${length} bytes`).toBe('MOT-0806');
    }
  });

  it('with any byte changed is refused', async () => {
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect(await refusal(changed), `byte ${at}`).toMatch(/^MOT-080[456]$/);
    }
  });

  it('with more at its end is damaged', async () => {
    expect(await refusal(Buffer.concat([whole, Buffer.from('\n')]))).toBe('MOT-0806');
    expect(await refusal(Buffer.concat([whole, whole]))).toBe('MOT-0806');
  });

  it.each([
    ['a text', 'listeners: []\n'],
    ['a file of age', 'age-encryption.org/v1\n-> X25519 abc\n'],
    ['an archive', '\u001f\u008b\u0008'],
  ])('%s is none', async (_, text) => {
    expect(await refusal(Buffer.from(text, 'latin1'))).toBe('MOT-0804');
  });

  it('a directory, or nothing, is none', async () => {
    mkdirSync(join(folder, 'case'));
    await expect(openBackup(join(folder, 'case'), () => undefined)).rejects.toMatchObject({ code: 'MOT-0804' });
    await expect(openBackup(join(folder, 'gone'), () => undefined)).rejects.toMatchObject({ code: 'MOT-0804' });
  });

  it('of a newer format is refused as such', async () => {
    expect(await refusal(Buffer.from(whole.toString('latin1').replace('backup 1', 'backup 2'), 'latin1'))).toBe(
      'MOT-0805',
    );
  });

  it('whose seal is right and whose content lies is damaged', async () => {
    const head = headText(HEAD);
    const part = (name: 'broker' | 'authority', at: number, bytes: number) => ({ name, at, bytes, sha256: '' });
    const right = [part('broker', head.length, 4), part('authority', head.length + 4, 4)];
    expect(await refusal(sealed(head, 'onetwo__', indexText(right)))).toBe('taken');
    for (const wrong of [
      [],
      [right[0]],
      [...right].reverse(),
      [part('broker', 0, head.length + 4), right[1]],
      [part('broker', head.length, 5), right[1]],
      [right[0], part('authority', head.length + 4, 5)],
      [right[0], part('authority', head.length + 4, -4)],
    ]) {
      expect(await refusal(sealed(head, 'onetwo__', indexText(wrong as never)))).toBe('MOT-0806');
    }
    for (const wrong of [
      { ...HEAD, to: 'everybody' },
      { ...HEAD, id: '' },
      { ...HEAD, parts: ['broker'] },
      { ...HEAD, ca: 1 },
    ]) {
      expect(await refusal(sealed(headText(wrong as never), 'onetwo__', indexText(right)))).toBe('MOT-0806');
    }
  });
});

describe('writing one', () => {
  it('never replaces a file, nor one that is being written', async () => {
    await expect(createBackupFile(path)).rejects.toMatchObject({ code: 'MOT-0604' });
    const first = await createBackupFile(join(folder, 'twice'));
    await expect(createBackupFile(join(folder, 'twice'))).rejects.toMatchObject({ code: 'MOT-0604' });
    writeFileSync(join(folder, 'twice'), 'somebody was faster');
    await first.head(HEAD);
    await expect(first.finish()).rejects.toMatchObject({ code: 'MOT-0604' });
    expect(readFileSync(join(folder, 'twice'), 'utf8')).toBe('somebody was faster');
    await first.discard();
    rmSync(join(folder, 'twice'));
    expect(readdirSync(folder)).toEqual(['backup']);
  });

  it('that is broken off leaves nothing, and what it had written by then is recognised', async () => {
    const file = await createBackupFile(join(folder, 'half'));
    await file.head(HEAD);
    await file.part('broker', streamOf('one part'), () => undefined);
    expect(await refusal(readFileSync(join(folder, 'half.part')))).toBe('MOT-0806');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a little');
      throw new Error('the source is gone');
    }
    await expect(file.part('authority', failing(), () => undefined)).rejects.toThrow('the source is gone');
    await file.discard();
    expect(readdirSync(folder).filter((name) => name.startsWith('half'))).toEqual([]);
  });

  it('where none can be made says so', async () => {
    await expect(createBackupFile(join(folder, 'nowhere', 'backup'))).rejects.toMatchObject({
      code: 'MOT-0605',
      why: expect.stringMatching(/: there is no such directory$/),
    });
  });
});
