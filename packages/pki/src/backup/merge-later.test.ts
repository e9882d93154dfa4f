import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseRecord } from '../issue/ledger.ts';
import { createKeyAndCsr } from '../keys.ts';
import { type AuthorityAt, NOW, withAuthorityAt } from '../testing/authority-at.ts';
import { readLater } from './later.ts';
import { mergeLater, type Restored } from './merge-later.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

async function issue({ authority: { administrator } }: AuthorityAt, name: string): Promise<string> {
  const { csr } = await createKeyAndCsr(name, { type: 'ec' });
  return (await administrator.issueDevice({ name, csr, force: true })).serial;
}

/** What a backup made now would hold. */
async function backupOf({ authority, data, time }: AuthorityAt): Promise<Restored> {
  const { issued, revoked } = await readLater(data);
  const { issuing } = await authority.broker.trust();
  const pems = issuing.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
  const issuerOf = [...new Set(issued.map(({ issuer = '' }) => issuer))];
  return {
    issued: new Map(issued.map((one) => [one.serial, one])),
    revoked: new Map(revoked.map((one) => [one.serial, one])),
    issuing: pems.map((pem) => ({ pem, commonName: issuerOf.at(-1) ?? '' })),
    madeMs: time.ms,
  };
}

async function crlOf(world: AuthorityAt, name = 'list.crl'): Promise<string> {
  const path = join(world.data, name);
  await writeFile(path, await world.authority.administrator.crl());
  return path;
}

const refused = (why: RegExp) => ({ code: 'MOT-0441', why: expect.stringMatching(why) });

it('a list of the CA gives what was revoked since, with names as far as the backup knows them', () =>
  withAuthorityAt(async (world) => {
    const { time, authority } = world;
    const [first] = [await issue(world, 'pump-1'), await issue(world, 'pump-2')];
    const backup = await backupOf(world);
    time.ms += MINUTE_MS;
    const later = await issue(world, 'pump-3');
    await authority.administrator.revokeDevice({ name: 'pump-1', reason: 'keyCompromise' });
    await authority.administrator.revokeDevice({ name: 'pump-3' });
    const { revoked, gone, issued } = await mergeLater([await readLater(await crlOf(world))], backup, time.ms);
    expect(revoked).toMatchObject([
      { serial: first, name: 'pump-1', reason: 'keyCompromise', notAfter: backup.issued.get(first)?.notAfter },
      { serial: later, name: '?', reason: 'unspecified' },
    ]);
    expect([gone, issued]).toEqual([['pump-1'], []]);
  }));

it('a device with another good certificate is not gone', () =>
  withAuthorityAt(async (world) => {
    const serial = await issue(world, 'pump-1');
    await issue(world, 'pump-1');
    const backup = await backupOf(world);
    await world.authority.administrator.revokeDevice({ name: 'pump-1', serial });
    const source = await readLater(world.data);
    expect(await mergeLater([source], backup, world.time.ms)).toMatchObject({ revoked: [{ serial }], gone: [] });
    // Unless that one has ended by now.
    const after = world.time.ms + 800 * DAY_MS;
    expect(await mergeLater([source], backup, after)).toMatchObject({ gone: ['pump-1'] });
  }));

it('a list from before the backup is refused, also where it holds all that the backup has', () =>
  withAuthorityAt(async (world) => {
    await issue(world, 'pump-1');
    const list = await readLater(await crlOf(world));
    world.time.ms += MINUTE_MS;
    const backup = await backupOf(world);
    await expect(mergeLater([list], backup, world.time.ms)).rejects.toMatchObject(refused(/the backup is newer/));
  }));

it('a list of another CA is refused, and one that nobody can read', () =>
  withAuthorityAt(async (world) => {
    const backup = await backupOf(world);
    await withAuthorityAt(async (other) => {
      const list = await readLater(await crlOf(other));
      await expect(mergeLater([list], backup, NOW)).rejects.toMatchObject(refused(/not signed by the CA/));
    });
    const path = join(world.data, 'broken.crl');
    await writeFile(path, '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n');
    await expect(mergeLater([await readLater(path)], backup, NOW)).rejects.toMatchObject(refused(/cannot be read/));
  }));

it('what is expired need not be listed, and what is not has to be', () =>
  withAuthorityAt(async (world) => {
    const { administrator } = world.authority;
    await issue(world, 'pump-1');
    await administrator.revokeDevice({ name: 'pump-1' });
    const early = await readLater(await crlOf(world, 'early.crl'));
    await issue(world, 'pump-2');
    await administrator.revokeDevice({ name: 'pump-2' });
    const backup = await backupOf(world);
    await expect(mergeLater([early], backup, NOW)).rejects.toMatchObject(refused(/lacks 1 of the revocations/));
    world.time.ms += 800 * DAY_MS;
    const late = await readLater(await crlOf(world));
    expect(await mergeLater([late], backup, world.time.ms)).toEqual({ issued: [], revoked: [], gone: [] });
  }));

it('the old data directory also tells what was issued since, so that it can be revoked by name', () =>
  withAuthorityAt(async (world) => {
    await issue(world, 'pump-1');
    const backup = await backupOf(world);
    const serial = await issue(world, 'pump-2');
    const { issued } = await mergeLater([await readLater(world.data)], backup, world.time.ms);
    expect(issued.map((one) => [one.name, one.serial])).toEqual([['pump-2', serial]]);
    expect(parseRecord(JSON.stringify(issued[0]), 'there')).toEqual(issued[0]);
    // Of a CA that the backup does not have nothing is taken over.
    const strange = { ...backup, issuing: backup.issuing.map((one) => ({ ...one, commonName: 'another' })) };
    expect((await mergeLater([await readLater(world.data)], strange, world.time.ms)).issued).toEqual([]);
  }));
