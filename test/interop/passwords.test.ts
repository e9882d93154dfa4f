// Users of the real program, met by other people's clients: mosquitto's with a password, MQTT.js with a password and by SCRAM. And what
// administrators do to them while they are connected.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { openAdmin } from '@motte/admin';
import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ScramClient } from '../../packages/broker/src/testing/scram-client.ts';
import { type Finished, motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { describeWith } from './counterparts.ts';
import { run } from './drivers/mosquitto.ts';

const PASSWORD = 'correct horse battery';

const folder = mkdtempSync(join(tmpdir(), 'motte-passwords-'));
const data = join(folder, 'data');
const ca = join(folder, 'pump', 'ca.crt');
const ports = new Map<string, number>();
let broker: Started;

beforeAll(async () => {
  mkdirSync(data, { mode: 0o700 });
  const listeners = [
    '  - { name: panel, url: "mqtts://127.0.0.1:0", authentication: password, role: lab, waiver: "loopback test" }',
    '  - { name: web, url: "wss://127.0.0.1:0/mqtt", authentication: password, role: lab, waiver: "loopback test" }',
    '  - { name: scram, url: "mqtts://127.0.0.1:0", authentication: scram, role: lab, waiver: "loopback test" }',
    '  - { name: any, url: "mqtts://127.0.0.1:0", authentication: any, role: lab, waiver: "loopback test" }',
    '  - { name: lab, url: "mqtt://127.0.0.1:0", authentication: scram, role: lab, waiver: "loopback test" }',
  ];
  writeFileSync(join(data, 'motte.yaml'), `listeners:\n${listeners.join('\n')}\nconsole: off\nlog: { shape: json }\n`);
  broker = await startBroker(data);
  for (const { name, url } of (await openAdmin(data).status()).listeners) {
    ports.set(name, Number(/:([0-9]+)(?:\/|$)/.exec(url)?.[1]));
  }
  await done('device', 'add', 'pump', '--out', join(folder, 'pump'));
  for (const words of [['ada'], ['grace', '--scram'], ['gone'], ['changed']]) {
    await done('user', 'add', ...words, '--role', 'operator', ...passwordFile(PASSWORD));
  }
});

const clients: MqttClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.end(true);
});
afterAll(async () => {
  broker.child.kill('SIGTERM');
  const how = await broker.exited;
  const leak = /broker\.assertion|correct horse|argon2id/.exec(broker.out())?.[0];
  rmSync(folder, { recursive: true, force: true });
  if (how !== 0) throw new Error(`ended with ${how}`);
  if (leak !== undefined) throw new Error(`the log has ${leak}`);
});

function command(...args: string[]): Promise<Finished> {
  return motte([...args, '--data', data], folder);
}

/** One that has to succeed. */
async function done(...args: string[]): Promise<void> {
  const { exit, err } = await command(...args);
  if (exit !== 0) throw new Error(`${args.join(' ')} ended with ${exit}: ${err}`);
}

function passwordFile(password: string): string[] {
  const path = join(folder, `password-${passwordFiles++}`);
  writeFileSync(path, password, { mode: 0o600 });
  return ['--password-file', path];
}
let passwordFiles = 0;

function mosquitto(program: string, user: string, password: string, ...rest: string[]): ReturnType<typeof run> {
  const where = ['-h', '127.0.0.1', '-p', String(ports.get('panel')), '--cafile', ca];
  return run(program, [...where, '-u', user, '-P', password, '-i', `${user}/m`, ...rest]);
}

interface Opened {
  readonly client: MqttClient;
  /** The reason code it was let in or refused with; -1 = the connection just ended. */
  readonly code: number;
}

/** MQTT.js, until it is in or refused. */
async function open(listener: string, options: IClientOptions, scram?: ScramClient): Promise<Opened> {
  const [scheme, path] = listener === 'web' ? ['wss', '/mqtt'] : listener === 'lab' ? ['mqtt', ''] : ['mqtts', ''];
  const client = connect(`${scheme}://127.0.0.1:${ports.get(listener)}${path}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    ca: readFileSync(ca),
    ...(scram === undefined
      ? {}
      : { properties: { authenticationMethod: scram.method, authenticationData: scram.first } }),
    ...options,
  });
  clients.push(client);
  if (scram !== undefined) {
    client.handleAuth = (packet, callback) => {
      const authenticationData = scram.final(packet.properties?.authenticationData);
      const properties = { authenticationMethod: scram.method, authenticationData };
      callback(undefined, { cmd: 'auth', reasonCode: 0x18, properties });
    };
  }
  const code = await new Promise<number>((resolve) => {
    client.once('connect', (packet) => resolve(packet.reasonCode ?? packet.returnCode ?? 0));
    client.once('error', (error) => resolve((error as { code?: number }).code ?? -1));
    client.once('close', () => resolve(-1));
  });
  return { client, code };
}

describeWith(['mosquitto-clients'], 'mosquitto’s clients', () => {
  it.each(['mqttv31', 'mqttv311', 'mqttv5'])(
    '%s: one publishes and one reads, with a password over TLS',
    async (version) => {
      const topic = `devices/pump/down/cmd`;
      const reading = mosquitto(
        'mosquitto_sub',
        'ada',
        PASSWORD,
        '-V',
        version,
        '-t',
        'devices/#',
        '-C',
        '1',
        '-W',
        '20',
      );
      await untilConnected('ada/m');
      const wrote = await mosquitto(
        'mosquitto_pub',
        'changed',
        PASSWORD,
        '-V',
        version,
        '-t',
        topic,
        '-m',
        version,
        '-q',
        '1',
      );
      expect(wrote.exit).toBe(0);
      expect((await reading).out.toString()).toBe(`${version}\n`);
    },
  );

  it('are told when the password is wrong, and the operator is told why', async () => {
    const { exit, err } = await mosquitto('mosquitto_pub', 'ada', 'wrong', '-V', 'mqttv311', '-t', 'a', '-m', 'x');
    expect(exit).not.toBe(0);
    expect(err).toMatch(/bad user name or password/i);
    const { out } = await command('why', 'last');
    expect(out).toContain('the password is not that of ada');
    expect(out).toContain('motte user passwd');
  });
});

describe('MQTT.js', () => {
  it.each(['panel', 'web', 'any'])('with a password on the listener %s', async (listener) => {
    const { client, code } = await open(listener, { username: 'ada', password: PASSWORD, clientId: 'ada' });
    expect(code).toBe(0);
    const topic = 'devices/pump/down/cmd';
    await client.subscribeAsync('devices/#', { qos: 1 });
    const message = happens(client, 'message');
    await client.publishAsync(topic, 'hello', { qos: 1 });
    expect(String((await message)[1])).toBe('hello');
  });

  it.each<[string, string, IClientOptions, number]>([
    ['a wrong password', 'panel', { username: 'ada', password: 'wrong' }, 0x86],
    ['no such user', 'panel', { username: 'eve', password: PASSWORD }, 0x86],
    ['no password', 'panel', {}, 0x86],
    ['another’s client identifier', 'panel', { username: 'ada', password: PASSWORD, clientId: 'gone' }, 0x85],
    ['a user of SCRAM', 'panel', { username: 'grace', password: PASSWORD }, 0x86],
    ['a password where SCRAM is asked for', 'scram', { username: 'ada', password: PASSWORD }, 0x87],
    ['nothing where anything would do', 'any', {}, 0x87],
    ['a wrong password, MQTT 3.1.1', 'panel', { username: 'ada', password: 'wrong', protocolVersion: 4 }, 4],
  ])('with %s is refused', async (_what, listener, options, code) => {
    expect((await open(listener, { clientId: 'ada', ...options })).code).toBe(code);
  });

  it.each(['scram', 'any', 'lab'])(
    'by SCRAM-SHA-256 on the listener %s, and each knows the other',
    async (listener) => {
      const scram = new ScramClient({ name: 'grace', password: PASSWORD });
      const connack = { authenticationData: Buffer.alloc(0) };
      const opening = open(listener, { clientId: 'grace' }, scram);
      clients.at(-1)?.on('packetreceive', (packet) => {
        if (packet.cmd === 'connack') Object.assign(connack, packet.properties);
      });
      const { client, code } = await opening;
      expect(code).toBe(0);
      expect(connack.authenticationData.toString()).toBe(scram.signature);
      await client.publishAsync('devices/pump/down/cmd', 'hello', { qos: 1 });
    },
  );

  it.each(['wrong', `${PASSWORD} `])('by SCRAM with the password %j is refused', async (password) => {
    const scram = new ScramClient({ name: 'grace', password });
    expect((await open('scram', { clientId: 'grace' }, scram)).code).toBe(0x87);
  });

  it('by SCRAM-SHA-256-PLUS, bound to its own TLS connection and no other', async () => {
    const bound = async (listener: string, channel: (socket: TLSSocket) => Uint8Array, options: object = {}) => {
      const binding = () => channel(clients.at(-1)?.stream as unknown as TLSSocket);
      const scram = new ScramClient({ name: 'grace', password: PASSWORD, gs2Header: 'p=tls-exporter,,', binding });
      return (await open(listener, { clientId: 'grace', ...options }, scram)).code;
    };
    const exporter = (socket: TLSSocket) =>
      socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    expect(await bound('scram', exporter)).toBe(0);
    expect(await bound('any', exporter)).toBe(0);
    // As somebody between would see it: its own connection to the client, not that to the broker.
    expect(await bound('scram', () => Buffer.alloc(32))).toBe(0x87);
    expect(await bound('scram', exporter, TLS_12)).toBe(0x87);
    expect(await bound('lab', () => Buffer.alloc(32))).toBe(0x87);
  });

  it('who could bind to the channel and believes the broker cannot is refused, where it can', async () => {
    const scram = () => new ScramClient({ name: 'grace', password: PASSWORD, gs2Header: 'y,,' });
    expect((await open('scram', { clientId: 'grace' }, scram())).code).toBe(0x87);
    expect((await command('why', 'last')).out).toContain('somebody told it so');
    expect((await open('scram', { clientId: 'grace', ...TLS_12 }, scram())).code).toBe(0);
    expect((await open('lab', { clientId: 'grace' }, scram())).code).toBe(0);
  });
});

describe('an administrator', () => {
  const session = { properties: { sessionExpiryInterval: 3600 }, clean: false };

  it('lists users, and nothing of their passwords', async () => {
    const { out } = await command('user', 'list', '--json');
    const users = (JSON.parse(out) as { users: { name: string; realm: string }[] }).users;
    expect(users.map(({ name, realm }) => `${name} ${realm}`)).toContain('grace scram');
    expect(out).not.toMatch(/argon|salt|storedKey|verifier/);
  });

  it('gives a user another password: its connections end, its session stays', async () => {
    const options = { username: 'changed', password: PASSWORD, clientId: 'changed', ...session };
    const { client, code } = await open('panel', options);
    expect(code).toBe(0);
    await client.subscribeAsync('devices/#', { qos: 1 });
    const ended = happens(client, 'close');
    const { exit, out } = await command('user', 'passwd', 'changed', ...passwordFile('another horse battery'));
    expect([exit, out]).toEqual([0, expect.stringContaining('1 connection ended')]);
    await ended;
    expect((await open('panel', options)).code).toBe(0x86);
    const back = await open('panel', { ...options, password: 'another horse battery' });
    expect(back.code).toBe(0);
    expect((await openAdmin(data).clients()).clients.find((row) => row.clientId === 'changed')?.subscriptions).toBe(1);
  });

  it('removes a user: connections and sessions end, no will goes out, and nobody inherits', async () => {
    const options = { username: 'gone', password: PASSWORD, ...session };
    const watcher = await open('panel', { username: 'ada', password: PASSWORD, clientId: 'ada' });
    await watcher.client.subscribeAsync('devices/#');
    const wills: string[] = [];
    watcher.client.on('message', (topic) => wills.push(topic));
    const will = { topic: 'devices/pump/down/cmd', payload: Buffer.from('gone'), qos: 0 as const, retain: false };
    const { client, code } = await open('panel', { ...options, clientId: 'gone', will });
    expect(code).toBe(0);
    await client.subscribeAsync('devices/#', { qos: 1 });
    const away = await open('panel', { ...options, clientId: 'gone/away' });
    await away.client.subscribeAsync('devices/#', { qos: 1 });
    await away.client.endAsync();
    const ended = happens(client, 'close');
    const { exit, out } = await command('user', 'remove', 'gone');
    expect([exit, out]).toEqual([0, 'user gone is removed, 1 connection and 2 sessions ended\n']);
    await ended;
    expect((await open('panel', { ...options, clientId: 'gone' })).code).toBe(0x86);
    const rows = (await openAdmin(data).clients()).clients.filter(({ identity }) => identity.startsWith('gone'));
    expect(rows).toEqual([]);
    await command('user', 'add', 'gone', ...passwordFile(PASSWORD));
    const heir = await open('panel', { ...options, clientId: 'gone/away' });
    expect(heir.code).toBe(0);
    expect((await openAdmin(data).clients()).clients.find((row) => row.clientId === 'gone/away')?.subscriptions).toBe(
      0,
    );
    await watcher.client.publishAsync('devices/pump/down/cmd', 'the last', { qos: 1 });
    expect(wills.filter((topic) => topic === will.topic).length).toBeLessThanOrEqual(1);
  });
});

/** Node's option, which MQTT.js hands on. */
const TLS_12: object = { maxVersion: 'TLSv1.2' };

/** What the event brings. */
function happens(client: MqttClient, event: 'message' | 'close'): Promise<unknown[]> {
  return new Promise((resolve) => client.once(event, (...args: unknown[]) => resolve(args)));
}

/** Until the broker has the client's session with a subscription. */
async function untilConnected(clientId: string): Promise<void> {
  for (;;) {
    const { clients: rows } = await openAdmin(data).clients();
    if (rows.some((row) => row.clientId === clientId && row.subscriptions > 0)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
