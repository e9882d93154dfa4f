import { describe, expect, it } from 'vitest';
import type { StoreRecord } from '../../ports/store.ts';
import { type Staged, Staging } from './staging.ts';

const ALL = { recordsMax: 1_000, bytesMax: 1_000_000 };

function staged(name: string, patient = false, bytes = 1, group = 0): Staged {
  return { record: { kind: 'unwill', key: name } as StoreRecord, session: 1, patient, group, bytes, before: undefined };
}

function taken(staging: Staging, most = ALL): string[] {
  const into: Staged[] = [];
  staging.take(into, most);
  return into.map(({ record }) => (record as { key: string }).key);
}

describe('Staging', () => {
  it('gives records back in the order in which they came, once', () => {
    const staging = new Staging();
    expect([staging.add(staged('a')), staging.add(staged('b')), staging.add(staged('c'))]).toEqual([1, 2, 3]);
    expect(taken(staging)).toEqual(['a', 'b', 'c']);
    expect(taken(staging)).toEqual([]);
    expect(staging).toMatchObject({ size: 0, bytes: 0, last: 3, lowest: 4 });
  });

  it('takes no more records or bytes at a time than it is told to, and one at least', () => {
    const staging = new Staging();
    for (const name of ['a', 'b', 'c', 'd', 'e']) staging.add(staged(name, false, 10));
    expect(taken(staging, { recordsMax: 2, bytesMax: 1_000 })).toEqual(['a', 'b']);
    expect(taken(staging, { recordsMax: 100, bytesMax: 15 })).toEqual(['c', 'd']);
    expect(taken(staging, { recordsMax: 100, bytesMax: 1 })).toEqual(['e']);
  });

  it('never parts a group, however large', () => {
    const staging = new Staging();
    staging.add(staged('alone'));
    for (const name of ['a', 'b', 'c']) staging.add(staged(name, false, 1, 1));
    for (const name of ['d', 'e']) staging.add(staged(name, false, 1, 2));
    expect(taken(staging, { recordsMax: 2, bytesMax: 1_000 })).toEqual(['alone', 'a', 'b', 'c']);
    expect(taken(staging, { recordsMax: 1, bytesMax: 1_000 })).toEqual(['d', 'e']);
  });

  it('lets patient records wait until they have lingered, past others that came later', () => {
    const staging = new Staging();
    staging.add(staged('patient', true));
    staging.add(staged('urgent'));
    staging.add(staged('patient too', true));
    expect(taken(staging)).toEqual(['urgent']);
    expect(staging).toMatchObject({ lowest: 1, patient: 2 });
    staging.lingered(1);
    expect(taken(staging)).toEqual(['patient']);
    expect(staging).toMatchObject({ lowest: 3, patient: 1 });
  });

  it('takes back what waits, and nothing that was taken', () => {
    const staging = new Staging();
    const [a, b] = [staging.add(staged('a', true, 5)), staging.add(staged('b', false, 7))];
    expect(staging.strike(a)?.bytes).toBe(5);
    expect(staging.strike(a)).toBeUndefined();
    expect(staging).toMatchObject({ size: 1, bytes: 7, patient: 0, lowest: b });
    expect(taken(staging)).toEqual(['b']);
    expect(staging.strike(b)).toBeUndefined();
    expect(staging.strike(99)).toBeUndefined();
    expect(staging.strike(0)).toBeUndefined();
  });

  it('keeps its tickets, and no memory, over many records that come and go', () => {
    const staging = new Staging();
    const stays = staging.add(staged('stays', true));
    for (let n = 0; n < 10_000; n++) {
      const ticket = staging.add(staged(`${n}`));
      expect(ticket).toBe(n + 2);
      if (n % 2 === 0) staging.strike(ticket);
      else taken(staging);
    }
    expect(staging).toMatchObject({ size: 1, lowest: stays, last: 10_001 });
    staging.strike(stays);
    expect(staging).toMatchObject({ size: 0, lowest: 10_002, last: 10_001 });
    const next = staging.add(staged('next'));
    expect(next).toBe(10_002);
    expect(taken(staging)).toEqual(['next']);
  });
});
