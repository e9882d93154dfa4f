import { X509Certificate } from 'node:crypto';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { Ledger } from '../issue/ledger.ts';
import { createKeyAndCsr } from '../keys.ts';
import { deviceNameOf } from '../protocol/names.ts';
import { withDataDirectory } from '../testing/data-directory.ts';
import { startAuthority } from './start.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;

afterEach(() => {
  vi.restoreAllMocks();
});

/** An authority at a time the test sets. */
const withAuthorityAt = (
  work: (a: Awaited<ReturnType<typeof startAuthority>>, time: { ms: number }, data: string) => Promise<void>,
) =>
  withDataDirectory(async (data) => {
    const time = { ms: NOW };
    const authority = await startAuthority({ data, now: () => time.ms });
    try {
      await work(authority, time, data);
    } finally {
      await authority.close();
    }
  });

const csrFor = async (name: string) => (await createKeyAndCsr(name, { type: 'ec' })).csr;

it('a device certificate lives two years from an hour ago and names the device', () =>
  withAuthorityAt(async ({ administrator }) => {
    const issued = await administrator.issueDevice({ name: 'pump-1', csr: await csrFor('anything') });
    const leaf = new X509Certificate(issued.certificate);
    expect(deviceNameOf(leaf)).toBe('pump-1');
    expect(Date.parse(leaf.validFrom)).toBe(NOW - 3_600_000);
    expect(Date.parse(leaf.validTo)).toBe(NOW + 730 * DAY);
    expect(leaf.verify(new X509Certificate(issued.issuing).publicKey)).toBe(true);
    expect(leaf.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(issued.fingerprint);
  }));

it('the certificate carries the key of the request and nothing else of it', () =>
  withAuthorityAt(async ({ administrator }) => {
    const { csr } = await createKeyAndCsr('Motte issuing CA', {
      type: 'rsa',
      alternativeNames: [{ type: 'url', value: 'motte:device:pump-2' }],
    });
    const issued = await administrator.issueDevice({ name: 'pump-1', csr });
    const leaf = new X509Certificate(issued.certificate);
    expect(leaf.publicKey.asymmetricKeyType).toBe('rsa');
    expect(leaf.subject).toBe('CN=pump-1');
    expect(leaf.subjectAltName).toBe('URI:motte:device:pump-1');
  }));

it('a name is certified once, even when asked twice at the same moment; a second time only by force', () =>
  withAuthorityAt(async ({ administrator }) => {
    const csr = await csrFor('pump-1');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => administrator.issueDevice({ name: 'pump-1', csr })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(administrator.issueDevice({ name: 'pump-1', csr })).rejects.toThrow(
      expect.objectContaining({ code: 'MOT-0431' }),
    );
    await administrator.issueDevice({ name: 'pump-1', csr, force: true });
    const shown = await administrator.showDevice('pump-1');
    expect(shown.certificates).toBe(2);
    expect(shown.history[0]?.serial).toBe(shown.serial);
    await expect(administrator.showDevice('pump-2')).rejects.toThrow(expect.objectContaining({ code: 'MOT-0432' }));
  }));

it('120 devices are listed in the order of names, page by page, over a restart too', () =>
  withDataDirectory(async (data) => {
    const csr = await csrFor('x');
    const names = Array.from({ length: 120 }, (_, index) => `d${(index * 97) % 120}`);
    const first = await startAuthority({ data });
    for (const name of names) await first.administrator.issueDevice({ name, csr });
    const before = await first.administrator.listDevices();
    await first.close();
    expect(before.map(({ name }) => name)).toEqual([...names].sort());
    const second = await startAuthority({ data });
    expect(second.created).toBe(false);
    expect(await second.administrator.listDevices()).toEqual(before);
    expect(second.fingerprint).toBe(first.fingerprint);
    await second.close();
  }));

it('no certificate leaves before its record is written and synced', () =>
  withAuthorityAt(async ({ administrator, broker }, _, data) => {
    const csr = await csrFor('pump-1');
    const server = await createKeyAndCsr('x', { type: 'ec', alternativeNames: [{ type: 'dns', value: 'localhost' }] });
    const probe = await open(join(data, 'pki', 'issued.jsonl'));
    const prototype = Object.getPrototypeOf(probe);
    await probe.close();
    const steps: string[] = [];
    for (const step of ['appendFile', 'datasync'] as const) {
      const real = prototype[step];
      vi.spyOn(prototype, step).mockImplementation(async function (this: unknown, ...given: unknown[]) {
        await real.apply(this, given);
        steps.push(step);
      });
    }
    const { serial } = await administrator.issueDevice({ name: 'pump-1', csr });
    steps.push('device');
    await broker.issueServer(server.csr);
    steps.push('server');
    expect(steps).toEqual(['appendFile', 'datasync', 'device', 'appendFile', 'datasync', 'server']);
    expect(await readFile(join(data, 'pki', 'issued.jsonl'), 'utf8')).toContain(serial);
  }));

it('no certificate leaves at all when its record cannot be written', () =>
  withAuthorityAt(async ({ administrator }) => {
    const csr = await csrFor('pump-1');
    vi.spyOn(Ledger.prototype, 'append').mockRejectedValueOnce(new Error('full'));
    await expect(administrator.issueDevice({ name: 'pump-1', csr })).rejects.toThrow('full');
    expect(await administrator.listDevices()).toEqual([]);
    // The refusal holds nobody up.
    await administrator.issueDevice({ name: 'pump-1', csr });
  }));

it('every certificate, the CAs included, is on record', () =>
  withAuthorityAt(async ({ administrator, broker }, _, data) => {
    await administrator.issueDevice({ name: 'pump-1', csr: await csrFor('x') });
    const server = await createKeyAndCsr('x', { type: 'ec', alternativeNames: [{ type: 'ip', value: '::1' }] });
    await broker.issueServer(server.csr);
    const lines = (await readFile(join(data, 'pki', 'issued.jsonl'), 'utf8')).trimEnd().split('\n');
    const records = lines.map((line) => JSON.parse(line));
    expect(records.map(({ profile, via }) => [profile, via])).toEqual([
      ['root', 'creation'],
      ['issuing', 'creation'],
      ['device', 'authority'],
      ['server', 'broker'],
    ]);
    expect(new Set(records.map(({ serial }) => serial)).size).toBe(4);
  }));

it('a certificate never outlives its CA, and a CA past its end signs nothing', () =>
  withAuthorityAt(async ({ administrator }, time) => {
    const csr = await csrFor('x');
    const { issuing } = await administrator.caInfo();
    const end = Date.parse(issuing.notAfter);
    time.ms = end - 10 * DAY;
    expect((await administrator.issueDevice({ name: 'late', csr })).notAfter).toBe(issuing.notAfter);
    time.ms = end;
    await expect(administrator.issueDevice({ name: 'too-late', csr })).rejects.toThrow(
      expect.objectContaining({ code: 'MOT-0424' }),
    );
  }));

it('a clock before the CA is said to be wrong', () =>
  withAuthorityAt(async ({ administrator }, time) => {
    time.ms = 0;
    const issue = administrator.issueDevice({ name: 'early', csr: await csrFor('x') });
    await expect(issue).rejects.toThrow(expect.objectContaining({ code: 'MOT-0437' }));
  }));

it('a CA that is gone while certificates are out is not silently made anew', () =>
  withDataDirectory(async (data) => {
    const first = await startAuthority({ data });
    await first.administrator.issueDevice({ name: 'pump-1', csr: await csrFor('x') });
    await first.close();
    await rm(join(data, 'pki', 'ca'), { recursive: true });
    await expect(startAuthority({ data })).rejects.toThrow(expect.objectContaining({ code: 'MOT-0424' }));
    // The refusal left no lock and no socket.
    await expect(startAuthority({ data, lockWaitMs: 0 })).rejects.toThrow(
      expect.objectContaining({ code: 'MOT-0424' }),
    );
    await expect(stat(join(data, 'run', 'authority.sock'))).rejects.toThrow('ENOENT');
  }));
