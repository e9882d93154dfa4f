// Which certificate `motte device add` makes for whom, and that an administrator's opens no listener.

import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-profiles-'));
const data = join(folder, 'data');
let broker: Started;

const run = (...args: readonly string[]) => motte([...args, '--data', data], folder);
const uriOf = (name: string, directory = name) =>
  new X509Certificate(readFileSync(join(folder, directory, `${name}.crt`))).subjectAltName;

beforeAll(async () => {
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(
    join(data, 'motte.yaml'),
    'listeners: [{ name: devices, url: "mqtts://127.0.0.1:0" }]\nconsole: off\nenrol: off\n',
  );
  broker = await startBroker(data);
});
afterAll(async () => {
  broker.child.kill('SIGTERM');
  await broker.exited;
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  ['edge', ['--profile', 'gateway'], 'gateway'],
  ['keys', ['--profile', 'steward', '--key-type', 'ec384'], 'steward'],
  ['pump', ['--role', 'operator'], 'device'],
])('%s with %j is a %s', async (name, options, profile) => {
  expect(await run('device', 'add', name, ...options)).toMatchObject({ exit: 0, err: '' });
  expect(uriOf(name)).toBe(`URI:motte:${profile}:${name}`);
  // What a certificate says it is stays so.
  const out = `${name}-2`;
  expect(await run('device', 'renew', name, '--out', out)).toMatchObject({ exit: 0, err: '' });
  expect(uriOf(name, out)).toBe(`URI:motte:${profile}:${name}`);
});

it('a key that what it says does not have is refused, and nothing is written', async () => {
  expect(await run('device', 'add', 'old', '--profile', 'steward', '--key-type', 'rsa')).toMatchObject({
    exit: 2,
    err: expect.stringContaining('MOT-0430'),
  });
  expect(existsSync(join(folder, 'old', 'old.crt'))).toBe(false);
});

it('an administrator is no device: not registered, let in by no listener, and taken back like one', async () => {
  const added = await run('device', 'add', 'anna', '--profile', 'administrator');
  expect(added).toMatchObject({
    exit: 0,
    err: '',
    out: expect.stringContaining('administrator anna has a certificate'),
  });
  expect(uriOf('anna')).toBe('URI:motte:administrator:anna');
  expect((await run('device', 'list')).out).not.toContain('anna');
  expect((await run('pub', 'devices/anna/up/t', '1', '--as', 'anna')).exit).not.toBe(0);
  expect((await run('why', 'last')).out).toMatch(/identity/);
  expect((await run('device', 'revoke', 'anna')).out).toContain('1 certificate revoked');
});

it.each([
  ['--role', 'operator'],
  ['--bundle', 'mosquitto'],
  ['--token', '1h'],
  ['--psk', undefined],
])('%s is not for an administrator', async (option, value) => {
  const given = value === undefined ? [option] : [option, value];
  expect(await run('device', 'add', 'ben', '--profile', 'administrator', ...given)).toMatchObject({
    exit: 2,
    err: expect.stringContaining(`leave out ${option}`),
  });
});
