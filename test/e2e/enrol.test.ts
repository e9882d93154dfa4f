// Enrolment as an operator and a device do it: real processes, free ports on loopback. The listener is closed, opens for a
// token, and closes again.

import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { connectClient, tlsTransport } from '@motte/client';
import { decodeToken, encodeToken } from '@motte/pki';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Finished, motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-enrol-'));
const data = join(folder, 'data');
const path = (...parts: string[]): string => join(folder, ...parts);
const admin = (...args: string[]): Promise<Finished> => motte([...args, '--data', data], folder);
/** On the device there is no data directory. */
const device = (...args: string[]): Promise<Finished> => motte(args, folder);
let broker: Started;
let url = '';
let port = 0;

// Each case runs the program several times.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  mkdirSync(data);
  const free = await freePort();
  url = `https://127.0.0.1:${free}`;
  writeFileSync(
    join(data, 'motte.yaml'),
    `listeners:\n  - { name: devices, url: "mqtts://127.0.0.1:0" }\nconsole: off\nenrol: { url: "${url}" }\n`,
  );
  broker = await startBroker(data);
  const { listeners } = await openAdmin(data).status();
  port = Number(/:([0-9]+)$/.exec(listeners.find(({ name }) => name === 'devices')?.url ?? '')?.[1]);
});
afterAll(async () => {
  broker?.child.kill('SIGKILL');
  await broker?.exited;
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether anybody accepts there. */
async function isOpen(): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const outcome = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return outcome;
}

async function connects(name: string, directory = name): Promise<boolean> {
  const read = (file: string) => readFileSync(path(directory, file), 'utf8');
  const [ca, cert, key] = [read('ca.crt'), read(`${name}.crt`), read(`${name}.key`)];
  const transport = tlsTransport({ host: '127.0.0.1', port, ca, cert, key });
  const client = await connectClient({ transport, clientId: name });
  await client.publish(`devices/${name}/up/hello`, 'x', { qos: 1 });
  await client.disconnect();
  return true;
}

async function tokenFor(name: string, ...more: string[]): Promise<string> {
  const { exit, out, err } = await admin('device', 'add', name, '--token', '--json', ...more);
  expect({ exit, err }).toEqual({ exit: 0, err: '' });
  return (JSON.parse(out) as { token: { token: string } }).token.token;
}

describe('a token', () => {
  it('opens the listener, enrols one device as printed, and the device works at once', async () => {
    expect(await isOpen()).toBe(false);
    const { exit, out, err } = await admin(
      'device',
      'add',
      'pump-1',
      '--token',
      '2h',
      '--role',
      'operator',
      '--role',
      'device',
    );
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(await isOpen()).toBe(true);
    const [, command = ''] = /^ {2}motte (enrol .*)$/m.exec(out) ?? [];
    const enrolled = await device(...command.split(' '));
    expect(enrolled).toMatchObject({ exit: 0, err: '' });
    expect(readdirSync(path('pump-1')).sort()).toEqual(['ca.crt', 'pump-1.crt', 'pump-1.enrol.json', 'pump-1.key']);
    expect(statSync(path('pump-1', 'pump-1.key')).mode & 0o777).toBe(0o600);
    expect(await connects('pump-1')).toBe(true);
    const listed = JSON.parse((await admin('device', 'list', '--json')).out);
    expect(listed.devices).toMatchObject([{ name: 'pump-1', roles: ['operator', 'device'], state: 'active' }]);
  });

  it('is refused a second time, whatever is tried, and `why` says what was wrong', async () => {
    const token = await tokenFor('pump-2');
    expect((await device('enrol', url, token)).exit).toBe(0);
    const again = await device('enrol', url, token, '--out', 'stolen');
    expect(again).toMatchObject({ exit: 1, err: expect.stringContaining('(MOT-0644)') });
    expect(again.err).not.toContain('used already');
    expect(readdirSync(path('stolen'))).toEqual(['pump-2.key']);
    const why = await admin('why', 'last');
    expect(why.out).toContain('the token of pump-2 was used already, with another key');
    expect(why.out).toContain('motte device add NAME --token');
    const over = await device('enrol', url, token);
    expect(over).toMatchObject({ exit: 1, err: expect.stringContaining('will not overwrite') });
  });

  it('is not sent to anyone but the broker it was made for', async () => {
    const token = await tokenFor('pump-3');
    const known = decodeToken(token);
    if (known === undefined) throw new Error('no token');
    const foreign = encodeToken({ ...known, fingerprint: 'ab'.repeat(32) });
    const { exit, err } = await device('enrol', url, foreign);
    expect({ exit, err }).toMatchObject({ exit: 1, err: expect.stringContaining('not the broker that was meant') });
    expect(existsSync(path('pump-3'))).toBe(false);
    // The certificate names 127.0.0.1 and this host, and no such name.
    expect(await device('enrol', url.replace('127.0.0.1', '127.0.0.9'), token)).toMatchObject({
      exit: expect.toSatisfy((one) => one === 1 || one === 3),
    });
    for (const text of ['motte1_nonsense', token.slice(0, -2), 'x']) {
      expect(await device('enrol', url, text)).toMatchObject({ exit: 2, err: expect.stringContaining('MOT-0641') });
    }
  });

  it('after an attempt that was cut off the same key is used again', async () => {
    const token = await tokenFor('pump-4');
    const { exit, err } = await device('enrol', `https://127.0.0.1:${await freePort()}`, token);
    expect({ exit, err }).toMatchObject({ exit: 3, err: expect.stringContaining('(MOT-0642)') });
    expect(existsSync(path('pump-4'))).toBe(false);
    expect((await device('enrol', url, token)).exit).toBe(0);
    const key = readFileSync(path('pump-4', 'pump-4.key'), 'utf8');
    // As if the certificate had been lost on the way.
    for (const file of ['ca.crt', 'pump-4.crt', 'pump-4.enrol.json']) rmSync(path('pump-4', file));
    expect((await device('enrol', url, token)).exit).toBe(0);
    expect(readFileSync(path('pump-4', 'pump-4.key'), 'utf8')).toBe(key);
    expect(await connects('pump-4')).toBe(true);
  });

  it('for a name that is there is refused, as is what does not go with it', async () => {
    expect(await admin('device', 'add', 'pump-1', '--token')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('MOT-0602'),
    });
    for (const args of [
      ['--token', 'soon'],
      ['--token', '1h', '--out', 'x'],
      ['--token', '10s'],
    ]) {
      expect(await admin('device', 'add', 'pump-9', ...args)).toMatchObject({ exit: 2 });
    }
  });
});

describe('without a token', () => {
  it('a device asks in the window, is approved by its fingerprint, and renews later with a new key', async () => {
    const opened = await admin('device', 'join', '--for', '5m');
    expect(opened.exit).toBe(0);
    const [, command = ''] = /^ {2}motte (enrol .*)$/m.exec(opened.out) ?? [];
    const ask = command.replace('NAME', 'valve').split(' ');
    const waiting = await device(...ask);
    expect(waiting).toMatchObject({ exit: 1, err: expect.stringContaining('(MOT-0645)') });
    const [, shown = '-'] = /key ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})/.exec(waiting.err) ?? [];
    expect((await admin('device', 'requests')).out).toContain(shown);
    expect(await device(...ask)).toMatchObject({ exit: 1 });
    expect((await admin('device', 'approve', 'valve')).out).toContain(shown);
    expect(await device(...ask)).toMatchObject({ exit: 0, err: '' });
    expect(await connects('valve')).toBe(true);
    expect((await admin('device', 'join', '--close')).exit).toBe(0);

    expect((await device('enrol', '--renew', 'valve')).out).toContain('is renewed from');
    const [key, crt] = ['valve.key', 'valve.crt'].map((file) => readFileSync(path('valve', file), 'utf8'));
    expect(await device('enrol', '--renew', 'valve', '--force')).toMatchObject({ exit: 0, err: '' });
    expect(readFileSync(path('valve', 'valve.key.old'), 'utf8')).toBe(key);
    expect(readFileSync(path('valve', 'valve.crt.old'), 'utf8')).toBe(crt);
    expect(readFileSync(path('valve', 'valve.key'), 'utf8')).not.toBe(key);
    expect(readdirSync(path('valve')).filter((file) => file.endsWith('.new'))).toEqual([]);
    expect(statSync(path('valve', 'valve.key')).mode & 0o777).toBe(0o600);
    expect(await connects('valve')).toBe(true);
    expect(await device('enrol', '--renew', 'nowhere')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('MOT-0646'),
    });
  });
});

it('the listener closes when the last token has ended', async () => {
  // What was redeemed may be fetched again for ten minutes; a broker that starts anew forgets nothing of it either.
  expect(await isOpen()).toBe(true);
  broker.child.kill('SIGTERM');
  await broker.exited;
  expect(await isOpen()).toBe(false);
  const book = join(data, 'pki', 'enrolment.json');
  const { tokens, requests: _, ...rest } = JSON.parse(readFileSync(book, 'utf8'));
  const ended = tokens.map((one: object) => ({ ...one, endsAtMs: Date.now() - 1 }));
  writeFileSync(book, `${JSON.stringify({ ...rest, requests: [], tokens: ended })}\n`);
  broker = await startBroker(data);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(await isOpen()).toBe(false);
});
