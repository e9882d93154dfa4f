import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPolicyHistory, PolicyHistoryFault } from './policy-history.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motte-policies-'));
  path = join(folder, 'store', 'policy.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const policy = (text: string) => ({ appliedAtMs: 1_000, by: 'ann', why: 'line 2 is there', file: 'p.yaml', text });

describe('openPolicyHistory', () => {
  it('is empty at first, numbers what is appended, and has it again when it is opened again', async () => {
    const history = openPolicyHistory(path);
    expect(history.policies).toEqual([]);
    expect(await history.append(policy('a'))).toEqual({ ...policy('a'), version: 1 });
    await history.append(policy('b'));
    const again = openPolicyHistory(path);
    expect(again.policies.map(({ version, text }) => [version, text])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect((await again.append(policy('c'))).version).toBe(3);
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(readdirSync(join(folder, 'store'))).toEqual(['policy.json']);
  });

  it('what could not be written is not known either', async () => {
    const history = openPolicyHistory(path);
    await history.append(policy('a'));
    rmSync(join(folder, 'store'), { recursive: true });
    writeFileSync(join(folder, 'store'), 'in the way');
    await expect(history.append(policy('b'))).rejects.toThrow();
    expect(history.policies.map(({ text }) => text)).toEqual(['a']);
  });

  it('keeps the latest hundred, and of large ones fewer', async () => {
    const history = openPolicyHistory(path);
    for (let n = 1; n <= 102; n += 1) await history.append(policy(`${n}`));
    expect(history.policies.map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, i) => i + 3));
    for (let n = 0; n < 10; n += 1) await history.append(policy('x'.repeat(1024 * 1024)));
    expect(openPolicyHistory(path).policies.map(({ version }) => version)).toEqual([
      105, 106, 107, 108, 109, 110, 111, 112,
    ]);
  });

  it.each([
    ['', 'not a JSON document'],
    ['{', 'not a JSON document'],
    ['null', 'format undefined'],
    ['{"format":2,"policies":[]}', 'format 2, this version reads 1'],
    ['{"format":1}', 'no list of policies'],
    ['{"format":1,"policies":[]}', 'no list of policies'],
    ['{"format":1,"policies":[{"version":1}]}', 'after version 0 is not complete'],
    ['{"format":1,"policies":[null]}', 'after version 0 is not complete'],
    [
      JSON.stringify({
        format: 1,
        policies: [
          { ...policy('a'), version: 2 },
          { ...policy('b'), version: 2 },
        ],
      }),
      'after version 2 is not complete',
    ],
  ])('%j is no history, and stays as it is', async (text, why) => {
    await openPolicyHistory(path).append(policy('a'));
    writeFileSync(path, text);
    expect(() => openPolicyHistory(path)).toThrow(PolicyHistoryFault);
    expect(() => openPolicyHistory(path)).toThrow(why);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
