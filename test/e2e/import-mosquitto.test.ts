// `motte import mosquitto` as an operator runs it: first a look, then a data directory, then a broker on it that lets in with the
// passwords of before and allows what was allowed.

import { pbkdf2Sync, randomBytes } from 'node:crypto';
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
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectClient, type MqttClient, type OpenTransport, tlsTransport, unixTransport } from '@motte/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finished, motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { freePort } from '../interop/mosquitto-broker.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-import-'));
const source = join(folder, 'mosquitto');
const data = join(folder, 'data');
const SECRETS = ['of-ada-1', 'of-bob-2'] as const;

function passwordLine(user: string, password: string): string {
  const salt = randomBytes(12);
  const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512');
  return `${user}:$7$101$${salt.toString('base64')}$${hash.toString('base64')}`;
}

beforeAll(() => {
  mkdirSync(source);
  const conf =
    'password_file passwd\nacl_file acl\nlistener 1883 127.0.0.1\nconnection cloud\naddress example.com\nremote_password of-the-cloud\n';
  writeFileSync(join(source, 'mosquitto.conf'), conf);
  writeFileSync(join(source, 'passwd'), `${passwordLine('ada', SECRETS[0])}\n${passwordLine('bob', SECRETS[1])}\n`);
  writeFileSync(join(source, 'acl'), 'user ada\ntopic write line/#\nuser bob\ntopic read line/1/#\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function importing(...more: string[]) {
  return motte(['import', 'mosquitto', source, '--data', data, ...more], folder);
}

describe('motte import mosquitto', () => {
  it('with --dry-run reports and writes nothing', async () => {
    const { exit, out, err } = await importing('--dry-run');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toContain(
      `${source}/mosquitto.conf:3: mqtt://127.0.0.1:1883 -> mqtt+unix://${data}/run/mqtt-1883.sock`,
    );
    expect(out).toContain(`${source}/mosquitto.conf:4: connection`);
    expect(out).toContain('nothing was written');
    expect(readdirSync(folder)).toEqual(['mosquitto']);
  });

  it('with --json says the same in a stable shape, and no secret', async () => {
    const { exit, out } = await importing('--dry-run', '--json');
    expect(exit).toBe(0);
    const document = JSON.parse(out) as Record<string, unknown>;
    expect(Object.keys(document)).toEqual([
      'format',
      'dryRun',
      'source',
      'data',
      'written',
      'identities',
      'counts',
      'entries',
      'config',
      'policy',
    ]);
    expect(document).toMatchObject({
      format: 1,
      dryRun: true,
      written: [],
      identities: 2,
      counts: { insecure: 1, unsupported: 1 },
    });
    expect(out).not.toMatch(/of-the-cloud|\$7\$/);
  });

  it.each([
    ['motte.yaml', 'holds a Motte already'],
    ['letter.txt', 'is not empty'],
  ])('refuses a directory with %s and leaves it alone', async (name, why) => {
    const other = join(folder, `with-${name}`);
    mkdirSync(other);
    writeFileSync(join(other, name), 'mine');
    const { exit, err } = await motte(['import', 'mosquitto', source, '--data', other], folder);
    expect({ exit, err }).toEqual({ exit: 4, err: expect.stringMatching(new RegExp(`${why} \\(MOT-1001\\)`)) });
    expect(readdirSync(other)).toEqual([name]);
    expect(readFileSync(join(other, name), 'utf8')).toBe('mine');
  });

  it('leaves nothing where what mosquitto has cannot be read', async () => {
    const { exit, err } = await motte(['import', 'mosquitto', join(folder, 'nowhere'), '--data', data], folder);
    expect({ exit, err }).toEqual({ exit: 4, err: expect.stringContaining('(MOT-1002)') });
    expect(existsSync(data)).toBe(false);
  });
});

describe('on what was imported', () => {
  let imported: Finished;
  let enrolled: Finished;
  let broker: Started;
  let port = 0;
  let ca = '';
  beforeAll(async () => {
    imported = await importing();
    port = await freePort();
    const config = readFileSync(join(data, 'motte.yaml'), 'utf8').replace(':8883', `:${port}`);
    writeFileSync(join(data, 'motte.yaml'), `${config}console: off\n`);
    broker = await startBroker(data);
    enrolled = await motte(['device', 'add', 'pump-1', '--data', data], folder);
    ca = readFileSync(join(folder, 'pump-1', 'ca.crt'), 'utf8');
  });
  afterAll(async () => {
    broker.child.kill('SIGTERM');
    const how = await broker.exited;
    const leak = /of-ada-1|of-bob-2|\$7\$/.exec(broker.out())?.[0];
    if (how !== 0) throw new Error(`ended with ${how}`);
    if (leak !== undefined) throw new Error(`the log has ${leak}`);
  });

  it('nobody else can read it, and devices can be enrolled beside those who came along', () => {
    expect(imported).toMatchObject({ exit: 0, err: '' });
    for (const file of ['motte.yaml', 'policy.yaml', 'store/registry.json', 'store/policy.json']) {
      expect([file, statSync(join(data, file)).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(enrolled).toMatchObject({ exit: 0 });
  });

  const login = (transport: OpenTransport, userName: string, password: string): Promise<MqttClient> =>
    connectClient({ transport, userName, password: Buffer.from(password), clientId: `any-${userName}` });
  const socket = () => unixTransport(join(data, 'run', 'mqtt-1883.sock'));
  const encrypted = () => tlsTransport({ host: '127.0.0.1', port, ca });

  it('passwords and rights are those of before, on the socket and over TLS', async () => {
    const bob = await login(socket(), 'bob', SECRETS[1]);
    const ada = await login(encrypted(), 'ada', SECRETS[0]);
    const came = new Promise((resolve) =>
      bob.onMessage(({ topic, payload }) => resolve([topic, Buffer.from(payload).toString()])),
    );
    await bob.subscribe('line/1/#');
    await expect(bob.subscribe('line/2')).rejects.toMatchObject({ code: 0x87 });
    await expect(bob.publish('line/1/x', 'no', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
    await ada.publish('line/2/x', 'not for bob', { qos: 1 });
    await ada.publish('line/1/x', 'for bob', { qos: 1 });
    expect(await came).toEqual(['line/1/x', 'for bob']);
    for (const client of [ada, bob]) await client.disconnect();
  });

  it('a wrong password is one', async () => {
    await expect(login(encrypted(), 'ada', SECRETS[1])).rejects.toMatchObject({ code: 0x86 });
  });
});
