// Files that cannot be what they should: each is refused with its name, at once, and nothing waits for it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importOf, passwordLine } from './imported.ts';
import { folder, plan, TLS } from './planned.ts';

describe('a file', () => {
  const conf = `password_file passwd\nlistener 8884\n${TLS}`;
  const refusal = (prepare: (path: string) => void) => {
    const at = folder();
    plan(conf, {}, at);
    rmSync(join(at, 'passwd'));
    prepare(join(at, 'passwd'));
    try {
      importOf(at, { 'mosquitto.conf': conf });
      return 'taken';
    } catch (fault) {
      const { code, why } = fault as { code: string; why: string };
      return `${code} ${why.replace(at, '')}`;
    }
  };

  it.each<[string, (path: string) => void, string]>([
    ['that is not there', () => {}, 'MOT-1002 /passwd: there is no such file'],
    ['that is a directory', (path) => mkdirSync(path), 'MOT-1002 /passwd: it is not a plain file'],
    [
      'that is a pipe without a writer',
      (path) => void execFileSync('mkfifo', [path]),
      'MOT-1002 /passwd: it is not a plain file',
    ],
    ['that leads to itself', (path) => symlinkSync(path, path), 'MOT-1002 /passwd: its links lead in a circle'],
    ['with a NUL byte', (path) => writeFileSync(path, 'a\nb\0c\n'), 'MOT-1002 /passwd:2: it holds a NUL byte'],
    [
      'that is no text',
      (path) => writeFileSync(path, Buffer.of(0xff, 0xfe)),
      'MOT-1002 /passwd: it is not text in UTF-8',
    ],
    ['that is endless', (path) => symlinkSync('/dev/zero', path), 'MOT-1002 /passwd: it is not a plain file'],
    [
      'with an endless line',
      (path) => writeFileSync(path, `a:${'x'.repeat(20_000)}`),
      'MOT-1002 /passwd:1: it is longer than 16384 characters',
    ],
    [
      'that is huge',
      (path) => writeFileSync(path, Buffer.alloc(17 * 1024 * 1024, 'a\n')),
      'MOT-1002 /passwd: it has more than 16777216 bytes',
    ],
  ])('%s is refused', (_what, prepare, why) => {
    expect(refusal(prepare)).toBe(why);
  });

  it('of more users than are taken is refused', () => {
    const lines = Array.from({ length: 20_001 }, (_, i) => passwordLine(`u${i}`)).join('\n');
    expect(refusal((path) => writeFileSync(path, lines))).toMatch(/^MOT-1004 /);
  });
});
