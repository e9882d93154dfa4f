import { X509Certificate } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startAuthority } from './authority/start.ts';
import { obtainServerCertificate } from './server-certificate.ts';
import { mergeNames } from './server-names.ts';
import { withDataDirectory } from './testing/data-directory.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 86_400_000;
const NAMES = mergeNames(['plant', 'line_1'], ['10.0.0.1', 'fd00::2']);

/** `obtain` asks as a start of the broker would, at a time and under names of the test's choice. */
const withServer = (
  work: (
    obtain: (change?: {
      names?: typeof NAMES;
      ms?: number;
      rsaBits?: number;
    }) => ReturnType<typeof obtainServerCertificate>,
    directory: string,
  ) => Promise<void>,
) =>
  withDataDirectory(async (data) => {
    let ms = NOW;
    const authority = await startAuthority({ data, now: () => ms });
    const directory = join(data, 'tls');
    try {
      await work((change = {}) => {
        ms = change.ms ?? ms;
        return obtainServerCertificate({
          directory,
          authority: authority.broker,
          names: change.names ?? NAMES,
          nowMs: ms,
          ...(change.rsaBits === undefined ? {} : { rsaBits: change.rsaBits }),
        });
      }, directory);
    } finally {
      await authority.close();
    }
  });

it('is kept over restarts, key 0600', () =>
  withServer(async (obtain, directory) => {
    const first = await obtain();
    expect(first.reissued).toBe('there was none');
    const second = await obtain();
    expect(second).toEqual({ ...first, reissued: undefined });
    for (const name of ['server.key', 'server.crt'])
      expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  }));

it('is replaced when a name is missing, and not when one is gone', () =>
  withServer(async (obtain) => {
    await obtain();
    expect((await obtain({ names: NAMES.slice(0, -1) })).reissued).toBeUndefined();
    const names = mergeNames(['plant', 'line_1', 'new'], ['10.0.0.1', 'fd00::2']);
    expect((await obtain({ names })).reissued).toBe('it does not name new');
    expect((await obtain({ names: mergeNames([], ['10.0.0.7']) })).reissued).toBe('it does not name 10.0.0.7');
  }));

it('lives 90 days and is replaced when less than a third is left', () =>
  withServer(async (obtain) => {
    await obtain();
    expect((await obtain({ ms: NOW + 59 * DAY })).reissued).toBeUndefined();
    expect((await obtain({ ms: NOW + 61 * DAY })).reissued).toMatch(/^it ends on 2026-08-30/);
    expect((await obtain()).reissued).toBeUndefined();
  }));

it('is replaced when it is damaged, does not fit its key, or is of another CA', () =>
  withServer(async (obtain, directory) => {
    const first = await obtain();
    await writeFile(join(directory, 'server.crt'), 'garbage');
    expect((await obtain()).reissued).toBe('it cannot be read');
    await writeFile(join(directory, 'server.key'), first.key);
    expect((await obtain()).reissued).toBe('the key does not fit it');
    await withServer(async (other, elsewhere) => {
      await other();
      for (const name of ['server.key', 'server.crt'])
        await writeFile(join(directory, name), await readFile(join(elsewhere, name)));
    });
    expect((await obtain()).reissued).toBe('another CA issued it');
  }));

it('has a second one with an RSA key where that is asked for, kept likewise and replaced when the size changes', () =>
  withServer(async (obtain, directory) => {
    const first = await obtain();
    expect(first.rsa).toBeUndefined();
    const both = await obtain({ rsaBits: 2048 });
    expect(both).toMatchObject({ cert: first.cert, key: first.key, reissued: 'there was none' });
    const leaf = new X509Certificate(both.rsa?.cert ?? '');
    expect(leaf.publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 2048 });
    expect(leaf.checkHost('plant')).toBe('plant');
    expect((await stat(join(directory, 'rsa.key'))).mode & 0o777).toBe(0o600);
    expect(await obtain({ rsaBits: 2048 })).toEqual({ ...both, reissued: undefined });
    expect((await obtain({ rsaBits: 3072 })).reissued).toBe('it is to have 3072 bits');
  }));
