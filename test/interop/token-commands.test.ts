// `motte token add|list|revoke` on the built program, running and not: whose tokens are taken, what ends when one is not any
// more, and what a restart knows of it.

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type Finished, motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { keySetOf, TestIssuer } from '../fixtures/tokens.ts';

// Each test starts several programs, one after the other.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'motte-token-commands-'));
const data = join(folder, 'data');
const file = (name: string): string => join(folder, name);
const plant = new TestIssuer('ES256');
let broker: Started | undefined;
let port = 0;

beforeAll(() => {
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(file('keys.json'), keySetOf(plant.jwk));
  writeFileSync(file('secret.json'), keySetOf(plant.privateJwk));
  writeFileSync(
    join(data, 'motte.yaml'),
    'listeners:\n  - { name: panel, url: "mqtts://127.0.0.1:0", authentication: token }\nconsole: off\nlog: { shape: json }\n',
  );
});
afterEach(stop);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(): Promise<void> {
  broker = await startBroker(data);
  const [listener] = (await openAdmin(data).status()).listeners;
  port = Number(/:([0-9]+)$/.exec(listener?.url ?? '')?.[1]);
}

async function stop(): Promise<void> {
  broker?.child.kill('SIGTERM');
  await broker?.exited;
  broker = undefined;
}

function token(...args: string[]): Promise<Finished> {
  return motte(['token', ...args, '--data', data], folder);
}

async function done(...args: string[]): Promise<string> {
  const { exit, out, err } = await token(...args);
  if (exit !== 0) throw new Error(`token ${args.join(' ')} ended with ${exit}: ${err}`);
  return out;
}

const addPlant = (): Promise<string> =>
  done('add', 'plant', '--audience', 'motte', '--jwks', 'keys.json', '--names', 'pump-*', '--role', 'device');

function signed(sub: string, jti: string): string {
  return plant.token({ iss: 'plant', aud: 'motte', sub, jti, exp: Math.floor(Date.now() / 1000) + 300 });
}

interface Visitor {
  readonly client: mqtt.MqttClient;
  /** The code of the DISCONNECT that ends it. */
  readonly ended: Promise<number | undefined>;
}

/** A client that stays, and whose session outlives it; throws with the code if it is not let in. */
async function visit(name: string, jti: string): Promise<Visitor> {
  const client = mqtt.connect({
    ...{ protocol: 'mqtts', host: '127.0.0.1', port, rejectUnauthorized: false, reconnectPeriod: 0 },
    ...{ clientId: name, username: name, password: signed(name, jti), protocolVersion: 5, clean: false },
    properties: { sessionExpiryInterval: 3600 },
  });
  await new Promise((resolve, reject) => {
    client.once('connect', resolve);
    client.once('error', reject);
  });
  const ended = new Promise<number | undefined>((resolve) => {
    client.once('disconnect', ({ reasonCode }) => resolve(reasonCode));
    client.once('close', () => resolve(undefined));
  });
  return { client, ended };
}

const isRefused = (name: string, jti: string) => expect(visit(name, jti)).rejects.toMatchObject({ code: 0x87 });

async function states(): Promise<string[]> {
  return (await openAdmin(data).clients()).clients.map(({ clientId, state }) => `${clientId} ${state}`).sort();
}

it('a listener for tokens without an issuer lets nobody in and says so; one that is added is taken at once', async () => {
  await start();
  const findings = async () => (await openAdmin(data).status()).findings.map(({ why }) => why).join();
  expect(await findings()).toContain('panel takes tokens, and there is no issuer: nobody gets in');
  await isRefused('pump-1', 't-1');
  expect(await addPlant()).toContain('tokens of plant for motte are taken; they may prove pump-*');
  expect(await findings()).not.toContain('there is no issuer');
  const { client } = await visit('pump-1', 't-1');
  await isRefused('valve', 't-1');
  await client.endAsync();
  const listed = JSON.parse(await done('list', '--json'));
  expect(listed).toEqual({
    format: 1,
    issuers: [
      { issuer: 'plant', audience: 'motte', jwks: file('keys.json'), names: ['pump-*'], kind: 'device', from: 'data' },
    ],
    revocations: [],
  });
});

it('what is no good is refused with its reason, running and not, and nothing is recorded', async () => {
  for (const running of [true, false]) {
    if (running) await start();
    else await stop();
    const before = await done('list', '--json');
    for (const [args, exit, why] of [
      [['add', 'plant', '--audience', 'x', '--jwks', 'keys.json'], 1, 'the issuer is known already: plant (MOT-0651)'],
      [['add', 'x', '--audience', 'x', '--jwks', 'secret.json'], 4, 'it holds a private or secret key'],
      [['add', 'x', '--audience', 'x', '--jwks', 'nowhere.json'], 4, 'there is no such file (MOT-0411)'],
      [['add', 'x', '--audience', 'x', '--jwks', 'http://x/keys'], 2, 'jwks: must be https://HOST/PATH'],
      [['add', 'x', '--audience', 'x', '--jwks', 'keys.json', '--names', '*'], 2, 'names[0]: must be a name'],
      [['revoke', 'else', '--id', 'x'], 1, 'no such issuer: "else" (MOT-0652)'],
      [['revoke', 'else', '--all'], 1, 'no such issuer: "else" (MOT-0652)'],
      [['revoke', 'plant', '--id', 'x', '--lift'], 1, 'nothing to lift: the token "x" of plant (MOT-0656)'],
    ] as const) {
      const refused = await token(...args);
      expect(refused, args.join(' ')).toMatchObject({ exit, err: expect.stringContaining(why) });
    }
    expect(await done('list', '--json')).toBe(before);
  }
});

it('a token that is revoked ends at once, until its own end, also after a restart; other tokens go on', async () => {
  await start();
  const [first, other] = [await visit('pump-1', 'first'), await visit('pump-2', 'other')];
  const { revocation, connections, sessions } = JSON.parse(await done('revoke', 'plant', '--id', 'first', '--json'));
  expect(await first.ended).toBe(0x98);
  expect([connections, sessions]).toEqual([1, 0]);
  const seconds = (Date.parse(revocation.until) - Date.now()) / 1000;
  expect(seconds).toBeGreaterThan(200);
  expect(seconds).toBeLessThan(400);
  await isRefused('pump-1', 'first');
  expect((await motte(['why', 'pump-1', '--data', data])).out).toContain('the token "first" was revoked');
  expect(other.client.connected).toBe(true);
  // What is kept for the name is the name's: its next token finds it.
  expect(await states()).toEqual(['pump-1 away', 'pump-2 connected']);
  await (await visit('pump-1', 'second')).client.endAsync();
  await other.client.endAsync();
  await stop();
  await start();
  await isRefused('pump-1', 'first');
  await done('revoke', 'plant', '--id', 'first', '--lift');
  await (await visit('pump-1', 'first')).client.endAsync();
});

it('a token in a file is revoked without a broker, for as long as it lives', async () => {
  writeFileSync(file('token'), signed('pump-1', 'lost'));
  expect(await done('revoke', 'plant', '--token-file', 'token')).toContain(
    'the token lost of plant is revoked until 2',
  );
  await start();
  await isRefused('pump-1', 'lost');
  const list = await done('list');
  expect(list).toMatch(/plant +lost +/);
  expect(list + (broker?.out() ?? '')).not.toContain('eyJ');
});

it('an issuer whose recorded file is gone keeps no broker from starting: none of its tokens is taken, and that is said', async () => {
  renameSync(file('keys.json'), file('elsewhere.json'));
  try {
    await start();
    expect((await openAdmin(data).status()).findings.map(({ why }) => why).join()).toMatch(
      /the keys of plant cannot be read: .*there is no such file; none of its tokens is taken/,
    );
    await isRefused('pump-1', 'again');
    expect(await done('list')).toContain('there is no such file');
  } finally {
    renameSync(file('elsewhere.json'), file('keys.json'));
  }
});

it('all tokens of a name: everything it has ends, and it comes again once that is lifted', async () => {
  await start();
  const visitor = await visit('pump-3', 'a');
  await visitor.client.subscribeAsync('devices/pump-3/down/#', { qos: 1 });
  expect(await done('revoke', 'plant', '--name', 'pump-3')).toContain(
    'is revoked until it is lifted, 1 connection and 1',
  );
  expect(await visitor.ended).toBe(0x98);
  expect(await states()).not.toContain('pump-3 away');
  await isRefused('pump-3', 'b');
  await stop();
  await done('revoke', 'plant', '--name', 'pump-3', '--lift');
  await start();
  await (await visit('pump-3', 'b')).client.endAsync();
});

it('an issuer that is removed takes everything along, whoever is away included; a restart brings nothing back', async () => {
  await start();
  const [visitor, away] = [await visit('pump-4', 'a'), await visit('pump-5', 'a')];
  await away.client.endAsync();
  expect(await states()).toEqual(expect.arrayContaining(['pump-4 connected', 'pump-5 away']));
  expect(await done('revoke', 'plant', '--all')).toMatch(
    /the issuer plant is removed, 1 connection and [0-9]+ sessions? ended/,
  );
  expect(await visitor.ended).toBe(0x98);
  expect(await states()).toEqual([]);
  await isRefused('pump-4', 'a');
  await stop();
  await start();
  expect(await states()).toEqual([]);
});

it('an issuer that is removed while no broker runs takes its sessions along as well', async () => {
  await addPlant();
  await start();
  await (await visit('pump-6', 'a')).client.endAsync();
  await stop();
  await done('revoke', 'plant', '--all');
  await start();
  expect(await states()).toEqual([]);
});

it('an issuer that is taken out of motte.yaml takes its sessions along as well', async () => {
  const yaml = join(data, 'motte.yaml');
  const listeners = 'listeners:\n  - { name: panel, url: "mqtts://127.0.0.1:0", authentication: token }\n';
  const rest = 'console: off\nlog: { shape: json }\n';
  const identity = `identity: { tokens: [{ issuer: plant, audience: motte, jwks: "${file('keys.json')}", roles: { "*": device } }] }\n`;
  writeFileSync(yaml, listeners + rest + identity);
  await start();
  expect(await token('revoke', 'plant', '--all')).toMatchObject({ exit: 1, err: expect.stringContaining('MOT-0653') });
  const visitor = await visit('pump-7', 'a');
  await (await visit('pump-8', 'a')).client.endAsync();
  writeFileSync(yaml, listeners + rest);
  broker?.child.kill('SIGHUP');
  expect(await visitor.ended).toBe(0x98);
  expect(await states()).toEqual([]);
});
