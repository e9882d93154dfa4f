// The main job as a newcomer does it: start, type what the greeting prints, run the demo, use a client of someone else,
// and ask why six clients were refused. Real processes and free ports on loopback; `start.test.ts` of motte has the signals.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAdmin, type Refusal } from '@motte/admin';
import { connectClient, tlsTransport } from '@motte/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { createTestAuthority, issueFrom, type Pair } from '../fixtures/certificates.ts';
import { describeWith } from '../interop/counterparts.ts';
import { run, Subscriber } from '../interop/drivers/mosquitto.ts';

const ENTRY = fileURLToPath(new URL('../../packages/motte/bin/motte.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'motte-e2e-'));
const data = join(folder, 'data');
const path = (...parts: string[]): string => join(folder, ...parts);
const read = (...parts: string[]): string => readFileSync(path(...parts), 'utf8');
const command = (...args: string[]) => motte([...args, '--data', data], folder);
let broker: Started;
let port = 0;

beforeAll(async () => {
  mkdirSync(path('bin'));
  symlinkSync(ENTRY, path('bin', 'motte'));
  mkdirSync(data);
  writeFileSync(
    join(data, 'motte.yaml'),
    'listeners:\n  - { name: devices, url: "mqtts://127.0.0.1:0" }\nconsole: { url: "https://localhost:0" }\n',
  );
  broker = await startBroker(data);
  const { listeners } = await openAdmin(data).status();
  port = Number(/:([0-9]+)$/.exec(listeners[0]?.url ?? '')?.[1]);
});
afterAll(async () => {
  broker?.child.kill('SIGKILL');
  await broker?.exited;
  rmSync(folder, { recursive: true, force: true });
});

describe('the main job', () => {
  it('the lines of the greeting, typed as printed, send the first message through mTLS', async () => {
    const printed = /in a second shell:\n([\s\S]+?)\n\n/.exec(broker.err())?.[1] ?? '';
    // In a clone it says `npx motte`; here `motte` is found by PATH.
    const [add, subscribe, publish] = printed.split('\n').map((line) => line.trim().replaceAll('npx motte', 'motte'));
    expect(subscribe).toMatch(/ &$/);
    const script = [add, subscribe, 'sub=$!', publish, 'read line', 'kill $sub', 'wait $sub'].join('\n');
    const env = { ...process.env, PATH: `${path('bin')}:${process.env['PATH']}` };
    const shell = spawn('sh', ['-ec', script], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const closed = new Promise<number | null>((resolve) => shell.once('close', resolve));
    let said = '';
    shell.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await new Promise<void>((resolve, reject) => {
      shell.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('devices/pump-1/up/temperature 21.5')) resolve();
      });
      void closed.then((exit) => reject(new Error(`the shell ended with ${exit}: ${said}`)));
    });
    shell.stdin.end('\n');
    expect(await closed, said).toBe(0);
  });

  it('without a certificate and a CA, pub says on this side what is missing', async () => {
    expect(await command('pub', 'devices/pump-1/up/temperature', '21.5')).toMatchObject({
      exit: 3,
      err: expect.stringMatching(
        /: the certificate that it shows is of no CA that is trusted here \(MOT-0702\)\n {2}say who connects, with --as NAME /,
      ),
    });
  });

  it('a name that is none is refused in words, by whichever command', async () => {
    writeFileSync(path('password'), 'correct horse battery staple\n', { mode: 0o600 });
    const given = ['--password-file', path('password')];
    expect(await command('user', 'add', 'a/b', ...given)).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/^motte: user name refused: "a\/b" \(MOT-0620\)\n {2}use 1 to 63 of /),
    });
    expect(await command('user', 'add', 'ann', '--role', 'a/b', ...given)).toMatchObject({
      exit: 2,
      err: expect.stringContaining('no such role: "a/b" (MOT-0606)'),
    });
    const unknown = { exit: 1, err: expect.stringContaining('no such user: "a/b" (MOT-0622)') };
    expect(await command('user', 'passwd', 'a/b', ...given)).toMatchObject(unknown);
    expect(await command('user', 'remove', 'a/b')).toMatchObject(unknown);
  });

  it('the demo exits 0, a second time as well', async () => {
    const shown = spawn(process.execPath, [ENTRY, 'demo', '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    let lastAtMs = 0;
    shown.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      lastAtMs = performance.now();
    });
    expect(await new Promise<number | null>((resolve) => shown.once('close', resolve)), out).toBe(0);
    expect(out).toContain('all went as it must');
    // Its deadline of 5 s must not be waited for once the message is there.
    expect(performance.now() - lastAtMs).toBeLessThan(2_500);
    const { steps } = JSON.parse((await command('demo', '--json')).out) as { steps: readonly { ok: boolean }[] };
    expect(steps.map(({ ok }) => ok)).toEqual([true, true, true, true, true]);
  });
});

describeWith(['mosquitto-clients'], "the files of `device add` in Mosquitto's clients", () => {
  it('carry a message from device to operator', async () => {
    const as = (name: string) => {
      const files = ['--cafile', path(name, 'ca.crt'), '--cert', path(name, `${name}.crt`)];
      return ['-h', 'localhost', '-p', `${port}`, ...files, '--key', path(name, `${name}.key`), '-i', name];
    };
    const topic = 'devices/pump-1/up/pressure';
    const subscriber = await Subscriber.start([...as('panel'), '-q', '1', '-t', topic]);
    try {
      const sent = await run('mosquitto_pub', [...as('pump-1'), '-q', '1', '-t', topic, '-m', '3.2']);
      expect(sent).toMatchObject({ exit: 0, err: '' });
      expect(await subscriber.next()).toMatchObject({ topic, payload: '3.2' });
    } finally {
      subscriber.kill();
    }
  });
});

interface Case {
  readonly title: string;
  readonly provoke: () => Promise<unknown>;
  readonly expected: Partial<Refusal>;
  /** What the person must find in the text beside layer, time, address and remedy. */
  readonly text: readonly RegExp[];
}

const pump = (): Pair => ({ cert: read('pump-1', 'pump-1.crt'), key: read('pump-1', 'pump-1.key') });
const connect = (pair: Partial<Pair>, clientId = 'pump-1') =>
  connectClient({
    transport: tlsTransport({ host: '127.0.0.1', port, ca: read('pump-1', 'ca.crt'), ...pair }),
    clientId,
  });

async function latest(): Promise<Refusal | undefined> {
  return (await openAdmin(data).refusals('last')).refusals[0];
}

function expired(): Pair {
  const issuing = { cert: read('data', 'pki', 'ca', 'issuing.crt'), key: read('data', 'pki', 'ca', 'issuing.key') };
  const { cert, key } = issueFrom(issuing, 'pump-1', { days: -1 });
  return { cert: cert + issuing.cert, key };
}

async function malformed(): Promise<unknown> {
  const transport = await tlsTransport({ host: '127.0.0.1', port, ca: read('pump-1', 'ca.crt'), ...pump() })();
  const connect5 = [0x10, 0x13, 0, 4, ...Buffer.from('MQTT'), 5, 2, 0, 60, 0, 0, 6, ...Buffer.from('pump-1')];
  // PUBREL without a packet identifier.
  transport.write(Uint8Array.from([...connect5, 0x62, 0x00]));
  return transport;
}

const CASES: readonly Case[] = [
  {
    title: 'no certificate',
    provoke: () => connect({}),
    expected: { layer: 'transport', rule: 'listeners.authentication' },
    text: [/the client has no certificate/, /certificate required/],
  },
  {
    title: 'a foreign certificate',
    provoke: () => connect(createTestAuthority('Elsewhere').issue('pump-1')),
    expected: { layer: 'transport', rule: 'tls.clientCa' },
    text: [/a foreign certificate/],
  },
  {
    title: 'an expired certificate',
    provoke: () => connect(expired()),
    expected: { layer: 'transport' },
    text: [/expired/, /clock/],
  },
  {
    title: 'a wrong client id',
    provoke: () => connect(pump(), 'boiler'),
    expected: { layer: 'identity', rule: 'listeners.clientIds', code: 0x85, identity: 'pump-1', clientId: 'boiler' },
    text: [/packet +connect/, /must be pump-1 or begin with pump-1\//, /CONNACK 0x85/],
  },
  {
    title: 'a topic that is not allowed',
    provoke: async () => {
      const client = await connect(pump());
      return client.publish('devices/boiler/up/heat', '1', { qos: 1 }).finally(() => client.disconnect());
    },
    expected: { layer: 'access', rule: 'role device', code: 0x87, topic: 'devices/boiler/up/heat' },
    text: [/packet +publish/, /allow publish devices\/pump-1\/up\/#/, /PUBACK 0x87/],
  },
  {
    title: 'a malformed packet',
    provoke: malformed,
    expected: { layer: 'protocol', reason: 'malformed-packet', code: 0x81, packet: 'pubrel', identity: 'pump-1' },
    text: [/DISCONNECT 0x81/],
  },
];

describeWith(['openssl'], '`motte why last`', () => {
  it.each(CASES)('$title: layer, time, who, address, rule, what the client saw, what to do', async (one) => {
    const before = await latest();
    await one.provoke().catch(() => undefined);
    // Equal refusals share a row and count.
    const isNew = (row: Refusal | undefined) => row?.id !== before?.id || row?.count !== before?.count;
    await vi.waitFor(async () => expect(isNew(await latest())).toBe(true), { timeout: 5_000 });
    expect(await latest()).toMatchObject({ ...one.expected, address: '127.0.0.1', listener: 'devices' });
    const { exit, out } = await command('why', 'last');
    expect(exit).toBe(0);
    expect(out).toContain(`refused by  ${one.expected.layer}: `);
    for (const line of ['when', 'who', 'from', 'rule', 'client saw', 'what to do'])
      expect(out).toMatch(new RegExp(`^ {2}${line} +\\S`, 'm'));
    for (const part of one.text) expect(out).toMatch(part);
  });
});
