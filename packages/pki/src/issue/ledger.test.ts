import { appendFile, chmod, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { withDataDirectory } from '../testing/data-directory.ts';
import { type IssuedRecord, Ledger } from './ledger.ts';

const record = (name: string, serial = '1'): IssuedRecord => ({
  format: 1,
  issuedAt: '2026-01-01T00:00:00.000Z',
  notBefore: '2026-01-01T00:00:00.000Z',
  notAfter: '2028-01-01T00:00:00.000Z',
  profile: 'device',
  name,
  alternativeNames: [`url:motte:device:${name}`],
  serial,
  fingerprint: 'ab',
  via: 'authority',
  certificate: 'PEM',
});

const withLedger = (work: (path: string) => Promise<void>) =>
  withDataDirectory((data) => work(join(data, 'issued.jsonl')));

it('keeps every record over a restart, by device and in the order of names', () =>
  withLedger(async (path) => {
    const first = await Ledger.open(path);
    for (const [name, serial] of [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
    ] as const)
      await first.append(record(name, serial));
    await first.close();
    const second = await Ledger.open(path);
    expect(second.deviceNames).toEqual(['a', 'b']);
    expect(second.device('b')?.map(({ serial }) => serial)).toEqual(['1', '3']);
    expect(second.device('__proto__')).toBeUndefined();
    await second.close();
  }));

it('cuts off a torn last line, and goes on behind it', () =>
  withLedger(async (path) => {
    const first = await Ledger.open(path);
    await first.append(record('a'));
    await first.close();
    await appendFile(path, '{"format":1,"iss');
    const second = await Ledger.open(path);
    expect(second.deviceNames).toEqual(['a']);
    await second.append(record('b'));
    await second.close();
    expect((await readFile(path, 'utf8')).split('\n').filter(Boolean)).toHaveLength(2);
  }));

it.each(['garbage', '{"format":2}', '{"format":1}', 'null', ''])('a damaged line %j is named with its number', (line) =>
  withLedger(async (path) => {
    await writeFile(path, `${JSON.stringify(record('a'))}\n${line}\n`, { mode: 0o600 });
    await expect(Ledger.open(path)).rejects.toThrow(`${path}:2: `);
    await expect(Ledger.open(path)).rejects.toThrow(expect.objectContaining({ code: 'MOT-0425' }));
  }),
);

it('a link or a file open to others is refused', () =>
  withLedger(async (path) => {
    await writeFile(path, '', { mode: 0o600 });
    await chmod(path, 0o640);
    await expect(Ledger.open(path)).rejects.toThrow('has mode 0640');
    await symlink(path, `${path}.link`);
    await expect(Ledger.open(`${path}.link`)).rejects.toThrow('is a symbolic link');
  }));

it('a full disk leaves no half record, and the next one stands whole', () =>
  withLedger(async (path) => {
    const ledger = await Ledger.open(path);
    await ledger.append(record('a'));
    const probe = await open(path);
    const prototype = Object.getPrototypeOf(probe);
    await probe.close();
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const spy = vi.spyOn(prototype, 'appendFile').mockImplementationOnce(async () => {
      await appendFile(path, '{"format":1,');
      throw full;
    });
    await expect(ledger.append(record('b'))).rejects.toThrow(`${path} (ENOSPC)`);
    spy.mockRestore();
    expect(ledger.device('b')).toBeUndefined();
    await ledger.append(record('c'));
    await ledger.close();
    const again = await Ledger.open(path);
    expect(again.deviceNames).toEqual(['a', 'c']);
    await again.close();
  }));

it('when even the repair fails, nothing more is recorded', () =>
  withLedger(async (path) => {
    const ledger = await Ledger.open(path);
    await ledger.close();
    await expect(ledger.append(record('a'))).rejects.toThrow(expect.objectContaining({ code: 'MOT-0428' }));
    await expect(ledger.append(record('a'))).rejects.toThrow('could not be repaired');
  }));
