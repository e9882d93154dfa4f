import { X509Certificate } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decryptWith } from '../backup/age.ts';
import { restoreAuthorityPart } from '../backup/read-part.ts';
import { createKeyAndCsr } from '../keys.ts';
import { obtainServerCertificate } from '../server-certificate.ts';
import { makeAgeKeys } from '../testing/age-keys.ts';
import { withDataDirectory } from '../testing/data-directory.ts';
import { openssl } from '../testing/openssl.ts';
import { type RunningAuthority, startAuthority } from './start.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const { csr } = await createKeyAndCsr('x', { type: 'ec' });

afterEach(() => void vi.restoreAllMocks());

/** Started on the same data as often as it is asked for; each ends with the test. */
const withData = (
  work: (start: () => Promise<RunningAuthority>, data: string, time: { ms: number }) => Promise<void>,
) =>
  withDataDirectory(async (data) => {
    const time = { ms: NOW };
    let running: RunningAuthority | undefined;
    try {
      await work(
        async () => {
          await running?.close();
          running = await startAuthority({ data, now: () => time.ms });
          return running;
        },
        data,
        time,
      );
    } finally {
      await running?.close();
    }
  });

const issue = (authority: RunningAuthority, name: string) =>
  authority.administrator.issueDevice({ name, csr, force: true });
const issuerOf = (pem: string) => new X509Certificate(pem).issuer;
const serverOf = (data: string, authority: RunningAuthority, nowMs: number) =>
  obtainServerCertificate({
    directory: join(data, 'run', 'server'),
    authority: authority.broker,
    names: [{ type: 'dns', value: 'localhost' }],
    nowMs,
  });
const blocks = (pem: string) => pem.match(/BEGIN CERTIFICATE/g)?.length;

describe('while the CA is replaced', () => {
  it('both are trusted, devices come from the new one and the broker from the old one, and OpenSSL agrees', () =>
    withData(async (start, data, time) => {
      const authority = await start();
      const before = await issue(authority, 'pump-1');
      const begun = await authority.administrator.rotateCa('30d');
      expect(begun.old).toMatchObject({ fingerprint: authority.fingerprint, unmoved: 1 });
      expect(begun.old?.until).toBe(new Date(NOW + 30 * DAY).toISOString());
      expect(begun.current.fingerprint).not.toBe(authority.fingerprint);
      const after = await issue(authority, 'pump-2');
      expect([blocks(before.root), blocks(after.root)]).toEqual([1, 2]);
      expect(issuerOf(after.certificate)).toBe(begun.current.issuing.subject);
      const server = await serverOf(data, authority, time.ms);
      expect(issuerOf(server.cert)).toBe(begun.old?.issuing.subject);
      expect(blocks(server.clientCa)).toBe(4);

      const file = async (name: string, text: string) => {
        await writeFile(join(data, name), text);
        return join(data, name);
      };
      const issuing = (await authority.broker.trust()).issuing;
      const verify = async (roots: string, leaf: string, purpose: string) =>
        openssl(
          ...['verify', '-x509_strict', '-attime', `${NOW / 1000}`, '-purpose', purpose],
          ...['-CAfile', await file('roots', roots), '-untrusted', await file('issuing', issuing)],
          await file('leaf', leaf),
        );
      // The new file knows everybody; the one a device has had for years still knows the broker.
      expect(await verify(after.root, after.certificate, 'sslclient')).toMatchObject({ code: 0 });
      expect(await verify(after.root, before.certificate, 'sslclient')).toMatchObject({ code: 0 });
      expect(await verify(after.root, server.cert, 'sslserver')).toMatchObject({ code: 0 });
      expect(await verify(before.root, server.cert, 'sslserver')).toMatchObject({ code: 0 });
      expect((await verify(before.root, after.certificate, 'sslclient')).code).not.toBe(0);
    }));

  it('a device has moved when it was certified anew, and one that ended is not waited for', () =>
    withData(async (start, _data, time) => {
      const authority = await start();
      for (const name of ['a', 'b', 'c']) await issue(authority, name);
      expect(await authority.administrator.unmovedDevices()).toEqual([]);
      await authority.administrator.rotateCa('104w');
      await issue(authority, 'b');
      expect(await authority.administrator.unmovedDevices()).toEqual(['a', 'c']);
      const trust = await (await start()).broker.trust();
      expect(trust.overlap).toMatchObject({ unmoved: 2 });
      time.ms += 731 * DAY;
      expect(await (await start()).administrator.unmovedDevices()).toEqual([]);
    }));

  it('a device that was revoked is not waited for; one that has an older certificate left is', () =>
    withData(async (start) => {
      const authority = await start();
      const { administrator } = authority;
      for (const name of ['gone', 'left', 'moved']) await issue(authority, name);
      await issue(authority, 'gone');
      await administrator.revokeDevice({ name: 'gone' });
      await administrator.rotateCa('30d');
      for (const name of ['left', 'moved']) await issue(authority, name);
      expect(await administrator.unmovedDevices()).toEqual([]);
      const latest = async (name: string) => (await administrator.showDevice(name)).serial;
      await administrator.revokeDevice({ name: 'left', serial: await latest('left') });
      expect(await administrator.unmovedDevices()).toEqual(['left']);
      await administrator.revokeDevice({ name: 'left' });
      expect(await administrator.finishRotation(false)).toMatchObject({ old: null });
    }));

  it(
    'more than a page of devices have not moved',
    () =>
      withData(async (start) => {
        const authority = await start();
        const names = Array.from({ length: 230 }, (_, index) => `d-${String(index).padStart(3, '0')}`);
        for (const name of names) await issue(authority, name);
        await authority.administrator.rotateCa('1h');
        expect(await authority.administrator.unmovedDevices()).toEqual(names);
      }),
    60_000,
  );

  it('is not replaced a second time, and not for what is no duration', () =>
    withData(async (start) => {
      const { administrator } = await start();
      for (const wrong of ['', '30', 'd', '0d', '-1d', '1.5d', '30 d', '731d', '99999w', '1d2h', '٣d']) {
        await expect(administrator.rotateCa(wrong)).rejects.toMatchObject({ code: 'MOT-0464' });
      }
      await administrator.rotateCa('12h');
      await expect(administrator.rotateCa('12h')).rejects.toMatchObject({ code: 'MOT-0461' });
    }));
});

describe('to finish', () => {
  it('every device has to have moved; then the old keys are gone and the broker is certified by the new CA', () =>
    withData(async (start, data, time) => {
      let authority = await start();
      await expect(authority.administrator.finishRotation(true)).rejects.toMatchObject({ code: 'MOT-0463' });
      await issue(authority, 'pump-1');
      await serverOf(data, authority, time.ms);
      const begun = await authority.administrator.rotateCa('30d');
      await expect(authority.administrator.finishRotation(false)).rejects.toMatchObject({
        code: 'MOT-0462',
        why: '1 of them, pump-1 first',
      });
      await issue(authority, 'pump-1');
      const ended = await authority.administrator.finishRotation(false);
      expect(ended).toMatchObject({ current: begun.current, old: null });
      expect((await readdir(join(data, 'pki'))).filter((name) => name.startsWith('ca'))).toEqual([
        `ca-${begun.current.root.subject.slice(-8)}`,
      ]);
      for (const again of [authority, (authority = await start())]) {
        const trust = await again.broker.trust();
        expect(trust).toMatchObject({ trusted: [begun.current.fingerprint], overlap: null });
        expect([blocks(trust.root), blocks(trust.issuing)]).toEqual([1, 1]);
      }
      const server = await serverOf(data, authority, time.ms);
      expect(server.reissued).toBe('another CA issued it');
      expect(issuerOf(server.cert)).toBe(begun.current.issuing.subject);
      // And once more, from the second CA to a third.
      await authority.administrator.rotateCa('30d');
      expect((await issue(authority, 'pump-1')).root).toContain((await authority.broker.trust()).root);
      await authority.administrator.finishRotation(false);
      await start();
    }));

  it('force leaves devices behind', () =>
    withData(async (start) => {
      const authority = await start();
      const left = await issue(authority, 'pump-1');
      await authority.administrator.rotateCa('1h');
      await authority.administrator.finishRotation(true);
      const { issuing } = await authority.broker.trust();
      expect(new X509Certificate(left.certificate).verify(new X509Certificate(issuing).publicKey)).toBe(false);
    }));
});

describe('cut off at any step', () => {
  /** Lets `allowed` steps of the file system through, and no further one: as if the power went. */
  function powerFailsAfter(allowed: number): () => number {
    let steps = 0;
    for (const name of ['rename', 'open', 'rm', 'mkdir'] as const) {
      const real = fs[name] as (...args: unknown[]) => Promise<unknown>;
      vi.spyOn(fs, name).mockImplementation((async (...args: unknown[]) => {
        steps += 1;
        if (steps > allowed) throw new Error('the power is gone');
        return real(...args);
      }) as never);
    }
    return () => steps;
  }

  it.each(['begin', 'finish'] as const)(
    'to %s: afterwards it is as before or as wanted, and can be done again',
    (what) =>
      withData(async (start, data) => {
        let authority = await start();
        await issue(authority, 'pump-1');
        const wanted = async () => {
          if (what === 'begin') await authority.administrator.rotateCa('30d');
          else await authority.administrator.finishRotation(false);
        };
        let outcomes = '';
        for (let allowed = 0; ; allowed += 1) {
          if (what === 'finish') {
            authority = await start();
            if ((await authority.administrator.showCa()).old === null) await authority.administrator.rotateCa('30d');
            await issue(authority, 'pump-1');
          }
          const before = (await authority.administrator.showCa()).old === null;
          const count = powerFailsAfter(allowed);
          const failed = await wanted().then(
            () => false,
            () => true,
          );
          const steps = count();
          vi.restoreAllMocks();
          authority = await start();
          const { old } = await authority.administrator.showCa();
          outcomes += (old === null) === before ? '-' : '+';
          // Whatever it is: somebody is certified, by a CA that is trusted, and the broker too.
          const issued = await issue(authority, 'pump-1');
          const { issuing, serverIssuing } = await authority.broker.trust();
          expect(issuing).toContain(issued.issuing);
          expect(issuing).toContain(serverIssuing);
          expect((await readdir(join(data, 'pki'))).filter((name) => name.startsWith('ca'))).toHaveLength(
            old === null ? 1 : 2,
          );
          if (old !== null && what === 'begin') await authority.administrator.finishRotation(false);
          if (!failed && steps <= allowed) break;
        }
        expect(outcomes).toMatch(/^-+\++$/);
      }),
    60_000,
  );

  it('a CA that certified devices is never taken for what was left over', () =>
    withData(async (start, data) => {
      const authority = await start();
      await authority.administrator.rotateCa('30d');
      await issue(authority, 'pump-1');
      await rm(join(data, 'pki', 'authorities.json'));
      await expect(start()).rejects.toMatchObject({
        code: 'MOT-0424',
        why: expect.stringContaining('authorities.json'),
      });
    }));

  it.each([
    '',
    '{}',
    '{"format":1,"current":"../ca","retired":[]}',
    '{"format":1,"current":"ca","old":{"directory":"ca","until":"2026-06-01"},"retired":[]}',
    '{"format":1,"current":"ca","old":{"directory":"ca-00000000","until":"soon"},"retired":[]}',
    '{"format":1,"current":"ca","retired":["ca"]}',
    '{"format":2,"current":"ca","retired":[]}',
  ])('%j in place of the file is refused', (text) =>
    withData(async (start, data) => {
      await start();
      await writeFile(join(data, 'pki', 'authorities.json'), text, { mode: 0o600 });
      await expect(start()).rejects.toMatchObject({ code: 'MOT-0424' });
    }),
  );

  it('the old CA damaged or gone is one line that names the file', () =>
    withData(async (start, data) => {
      const authority = await start();
      await authority.administrator.rotateCa('30d');
      await rename(join(data, 'pki', 'ca', 'issuing.key'), join(data, 'issuing.key'));
      await expect(start()).rejects.toMatchObject({ code: 'MOT-0424', why: expect.stringContaining('ca/issuing.key') });
    }));
});

it('a backup carries both, and what was restored from it goes on replacing', () =>
  withData(async (start, data) => {
    const authority = await start();
    await issue(authority, 'pump-1');
    const { current, old } = await authority.administrator.rotateCa('30d');
    await issue(authority, 'pump-2');
    const { identity, recipient } = await makeAgeKeys();
    const id = '0'.repeat(32);
    const cipher = authority.administrator.backup(id, { recipients: [recipient], passphrase: '' });
    await fs.mkdir(join(data, 'new'), { mode: 0o700 });
    const plain = await decryptWith({ identities: [identity], passphrase: '' }, cipher);
    // Two roots, two issuing CAs, two devices.
    const merging = { sources: [], madeMs: NOW, nowMs: NOW };
    expect(await restoreAuthorityPart(plain, id, join(data, 'new', 'pki'), merging)).toEqual({
      fingerprint: old?.fingerprint,
      issued: 6,
      revoked: 0,
      merged: 0,
      gone: [],
    });
    const restored = await startAuthority({ data: join(data, 'new'), now: () => NOW });
    try {
      expect(await restored.administrator.showCa()).toMatchObject({ current, old });
      expect(await restored.administrator.unmovedDevices()).toEqual(['pump-1']);
      await restored.administrator.finishRotation(true);
    } finally {
      await restored.close();
    }
    expect(await readFile(join(data, 'pki', 'ca', 'root.key'), 'utf8')).toContain('PRIVATE KEY');
  }));
