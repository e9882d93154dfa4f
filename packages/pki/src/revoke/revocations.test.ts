// What is revoked stays so: over restarts, torn writes and old data directories; and the feed says it at once.

import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startAuthority } from '../authority/start.ts';
import { openAuthority, openBrokerAuthority } from '../client/client.ts';
import { withAuthority } from '../client/offline.ts';
import { createKeyAndCsr } from '../keys.ts';
import { withDataDirectory } from '../testing/data-directory.ts';
import { parseRevoked } from './revocations.ts';

/** A data directory with two certificates of `pump-1` and one of `pump-2`; their serial numbers. */
async function prepared(data: string): Promise<{ old: string; fresh: string; other: string }> {
  await (await startAuthority({ data })).close();
  const { csr } = await createKeyAndCsr('x', { type: 'ec' });
  return withAuthority(data, async (ca) => {
    const { serial: old } = await ca.issueDevice({ name: 'pump-1', csr });
    const { serial: fresh } = await ca.issueDevice({ name: 'pump-1', csr, force: true });
    const { serial: other } = await ca.issueDevice({ name: 'pump-2', csr });
    return { old, fresh, other };
  });
}

const file = (data: string) => join(data, 'pki', 'revoked.jsonl');

it('revokes all of a device, one, or all but one; asking twice changes nothing', () =>
  withDataDirectory(async (data) => {
    const { old, fresh, other } = await prepared(data);
    await withAuthority(data, async (ca) => {
      expect(await ca.revokeDevice({ name: 'pump-1', except: fresh, reason: 'superseded' })).toEqual({
        name: 'pump-1',
        serials: [old],
        good: 1,
        number: 1,
      });
      expect(await ca.revokeDevice({ name: 'pump-1', serial: fresh.toUpperCase() })).toMatchObject({
        serials: [fresh],
        good: 0,
        number: 2,
      });
      expect(await ca.revokeDevice({ name: 'pump-1' })).toMatchObject({ serials: [], good: 0, number: 2 });
      await expect(ca.revokeDevice({ name: 'pump-1', serial: other })).rejects.toMatchObject({ code: 'MOT-0467' });
      await expect(ca.revokeDevice({ name: 'nobody' })).rejects.toMatchObject({ code: 'MOT-0432' });
      await expect(ca.revokeDevice({ name: 'pump-1', reason: 'because' })).rejects.toMatchObject({ code: 'MOT-0426' });
      expect((await ca.showDevice('pump-1')).history.map(({ revokedAt }) => typeof revokedAt)).toEqual([
        'string',
        'string',
      ]);
      expect(await ca.showDevice('pump-2')).not.toHaveProperty('revokedAt');
    });
    expect((await readFile(file(data), 'utf8')).split('\n').filter((line) => line !== '')).toHaveLength(2);
  }));

it('one that has ended by itself needs no revoking', () =>
  withDataDirectory(async (data) => {
    await prepared(data);
    const later = Date.now() + 800 * 86_400_000;
    await withAuthority(data, async (ca) => expect((await ca.revokeDevice({ name: 'pump-1' })).serials).toEqual([]), {
      now: () => later,
    });
  }));

it('a question that waits is answered as soon as there is something, and after a restart from the file', () =>
  withDataDirectory(async (data) => {
    const { other } = await prepared(data);
    const authority = await startAuthority({ data });
    const broker = openBrokerAuthority(authority.brokerSocket);
    expect(await broker.revocations({ after: 0, wait: false })).toEqual({ number: 0, revoked: [], more: false });
    const news = broker.revocations({ after: 0, wait: true });
    const [, { number }] = await Promise.all([
      new Promise((resolve) => setTimeout(resolve, 50)),
      openAuthority(authority.authoritySocket).revokeDevice({ name: 'pump-2', reason: 'keyCompromise' }),
    ]);
    expect(number).toBe(1);
    const told = { number: 1, revoked: [{ serial: other, name: 'pump-2', superseded: false }], more: false };
    expect(await news).toEqual(told);
    // Whoever has heard of more than there is hears of nothing, and is not set back.
    expect(await broker.revocations({ after: 7, wait: false })).toMatchObject({ revoked: [] });
    const waiting = broker.revocations({ after: 1, wait: true }).catch(({ code }) => code);
    await authority.close();
    expect(await waiting).toBe('MOT-0421');
    const again = await startAuthority({ data });
    expect(await openBrokerAuthority(again.brokerSocket).revocations({ after: 0, wait: true })).toEqual(told);
    await again.close();
  }));

it('a directory of before has none, a torn line is cut off, a damaged one stops everything', () =>
  withDataDirectory(async (data) => {
    await prepared(data);
    await rm(file(data));
    await withAuthority(data, (ca) => ca.revokeDevice({ name: 'pump-2' }));
    const whole = await readFile(file(data), 'utf8');
    await appendFile(file(data), '{"format":1,"rev');
    await withAuthority(data, async (ca) => expect((await ca.revokeDevice({ name: 'pump-2' })).number).toBe(1));
    expect(await readFile(file(data), 'utf8')).toBe(whole);
    await writeFile(file(data), `{}\n${whole}`);
    await expect(withAuthority(data, (ca) => ca.caInfo())).rejects.toMatchObject({ code: 'MOT-0466' });
  }));

describe('a line of the file', () => {
  const whole = { format: 1, revokedAt: 'a', notAfter: 'b', name: 'c', serial: 'd', reason: 'unspecified' };
  it.each([
    ['[', 'not JSON'],
    ['null', 'not a record of format 1'],
    [JSON.stringify({ ...whole, format: 2 }), 'not a record of format 1'],
    [JSON.stringify({ ...whole, serial: 1 }), 'no serial'],
    [JSON.stringify({ ...whole, reason: 'x' }), 'no reason'],
  ])('%s is refused: %s', (line, why) => {
    expect(() => parseRevoked(line, 'f:1')).toThrow(expect.objectContaining({ code: 'MOT-0466', why: `f:1: ${why}` }));
  });
  it('that is whole is taken', () => expect(parseRevoked(JSON.stringify(whole), 'f:1')).toEqual(whole));
});

it('more revocations than a page, and a list of several pieces, come whole', () =>
  withDataDirectory(async (data) => {
    await (await startAuthority({ data })).close();
    const lines = Array.from({ length: 1_500 }, (_, index) => ({
      format: 1,
      revokedAt: new Date().toISOString(),
      notAfter: new Date(Date.now() + (index === 0 ? -1_000 : 86_400_000)).toISOString(),
      name: `device-${index}`,
      serial: (0x1000_0000_0000 + index).toString(16),
      reason: 'unspecified',
    }));
    await writeFile(file(data), lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
    const authority = await startAuthority({ data });
    const broker = openBrokerAuthority(authority.brokerSocket);
    const serials: string[] = [];
    for (let after = 0, more = true; more; ) {
      const page = await broker.revocations({ after, wait: false });
      serials.push(...page.revoked.map(({ serial }) => serial));
      ({ number: after, more } = page);
    }
    expect(serials).toEqual(lines.map(({ serial }) => serial));
    const pem = await openAuthority(authority.authoritySocket).crl();
    await authority.close();
    const { X509Crl } = await import('@peculiar/x509');
    const crl = new X509Crl(pem.replaceAll('X509 CRL', 'CRL'));
    // The one that has ended is not listed any more.
    expect(crl.entries).toHaveLength(1_499);
    expect(pem).toMatch(/^-----BEGIN X509 CRL-----\n[\s\S]+\n-----END X509 CRL-----\n$/);
  }));
