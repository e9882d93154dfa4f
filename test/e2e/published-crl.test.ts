// The revocation list of Motte's own CA as others use it: published below a URL that the certificates name, fetched from there and
// believed by OpenSSL.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { motte, startBroker } from '../../packages/motte/src/testing/program.ts';
import { run } from '../interop/drivers/mosquitto.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-published-'));
const data = join(folder, 'data');
const published = join(folder, 'www');
const asked: string[] = [];
const server = createServer(({ url = '' }, answer) => {
  asked.push(url);
  answer.setHeader('content-type', 'application/pkix-crl').end(readFileSync(join(published, basename(url))));
});

const command = async (...args: string[]): Promise<string> => {
  const done = await motte([...args, '--data', data], folder);
  expect(done, args.join(' ')).toMatchObject({ exit: 0 });
  return done.out;
};

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  mkdirSync(published);
  mkdirSync(join(data, 'pki'), { recursive: true, mode: 0o700 });
  writeFileSync(join(data, 'pki', 'authority.yaml'), `crl: { url: "http://127.0.0.1:${port}/motte/" }\n`, {
    mode: 0o600,
  });
  writeFileSync(join(data, 'motte.yaml'), 'listeners: []\nconsole: off\n');
  // The first start makes the CA.
  const broker = await startBroker(data);
  broker.child.kill('SIGTERM');
  await broker.exited;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What OpenSSL says of pump-1's certificate, with the list from where the certificate says. */
async function verified(): Promise<string> {
  const issuing = join(data, 'pki', 'ca', 'issuing.crt');
  const chain = ['-CAfile', join(folder, 'pump-1', 'ca.crt'), '-untrusted', issuing];
  const leaf = join(folder, 'pump-1', 'pump-1.crt');
  const { out, err } = await run('openssl', ['verify', '-crl_check', '-crl_download', ...chain, leaf]);
  return `${out}${err}`;
}

it('is where the certificates say, and takes a device away for others too', async () => {
  await command('device', 'add', 'pump-1');
  const [path = ''] = (await command('ca', 'crl', '--dir', published)).trim().split('\n');
  expect(basename(path)).toMatch(/^[0-9a-f]{8}\.crl$/);
  expect(await verified()).toContain('pump-1.crt: OK');
  expect(new Set(asked)).toEqual(new Set([`/motte/${basename(path)}`]));
  await command('device', 'revoke', 'pump-1');
  await command('ca', 'crl', '--dir', published);
  expect(await verified()).toContain('certificate revoked');
});

it('of a CA that is being replaced stays beside the new one', async () => {
  await command('ca', 'rotate', '--overlap', '30d');
  const paths = (await command('ca', 'crl', '--dir', published, '--json')).trim();
  expect(JSON.parse(paths)).toMatchObject({ format: 1, files: [expect.stringMatching(/\.crl$/), expect.any(String)] });
  expect(await verified()).toContain('certificate revoked');
});

it('goes to a file or to a directory, not both', async () => {
  const done = await motte(['ca', 'crl', '--out', 'a', '--dir', 'b', '--data', data], folder);
  expect(done).toMatchObject({ exit: 2, err: expect.stringContaining('MOT-0002') });
});
