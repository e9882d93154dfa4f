import { describe, expect, it } from 'vitest';
import { KEY } from './keys.ts';
import { Quarantine } from './quarantine.ts';
import { seal } from './seal.ts';
import { Troubles } from './troubles.ts';

function quarantine() {
  const troubles = new Troubles();
  const said: string[] = [];
  troubles.listen((trouble) => void said.push('why' in trouble ? trouble.why : ''));
  return { said, it: new Quarantine({ nowMs: () => 1_000, troubles }) };
}

const key = (n: number): Uint8Array => Uint8Array.of(KEY.queue, n >> 16, n >> 8, n);

describe('Quarantine', () => {
  it('gives what is whole and moves aside what is not, with its bytes, once', () => {
    const { it: kept, said } = quarantine();
    expect(kept.unseal(key(1), seal(key(1), Uint8Array.of(5)))).toEqual(Uint8Array.of(5));
    const damaged = Uint8Array.of(1, 2, 3);
    for (let n = 0; n < 3; n++) expect(kept.unseal(key(2), damaged)).toBeUndefined();
    const [put, remove, ...more] = kept.moves();
    expect(more).toEqual([]);
    expect(put?.key[0]).toBe(KEY.quarantined);
    expect(put?.key.subarray(-4)).toEqual(key(2));
    expect(put?.value).toEqual(damaged);
    expect(remove).toEqual({ key: key(2), value: undefined });
    expect(kept.moves()).toEqual([]);
    expect(said).toEqual(['record 51000002: it has 3 bytes']);
    expect(kept.count).toBe(1);
  });

  it('a flood of damage is not a flood of reports, and holds a bounded number of records', () => {
    const { it: kept, said } = quarantine();
    for (let n = 0; n < 12_000; n++) kept.unseal(key(n), new Uint8Array(0));
    for (let n = 0; n < 12_000; n++) kept.unreadable(key(n), 'bad block');
    expect(said).toHaveLength(10_001);
    expect(said.at(-1)).toBe('more than 10000 records are damaged');
    expect(kept.moves()).toHaveLength(20_000);
  });
});
