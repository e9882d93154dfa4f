// TLS of the running program as others see it: sslscan, OpenSSL's own client, and ClientHellos made by hand for what no OpenSSL
// of today offers any more. The long form, with testssl.sh, is testssl.mjs beside this file.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { describeWith } from './counterparts.ts';
import { run } from './drivers/mosquitto.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-tls-'));
const data = join(folder, 'data');
const ports = new Map<string, number>();
let broker: Started;

beforeAll(async () => {
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(
    join(data, 'motte.yaml'),
    `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0", alpn: x-plant }
  - { name: web, url: "wss://127.0.0.1:0/mqtt" }
  - { name: panel, url: "mqtts://127.0.0.1:0", authentication: password }
console: { url: "https://localhost:0" }
enrol: { url: "https://127.0.0.1:0", est: on }
tls: { rsa: "2048" }
identity: { posture: { minMqtt: "5.0", action: flag } }
`,
  );
  broker = await startBroker(data);
  // The enrolment listener opens when the authority has been asked.
  while (!ports.has('enrol')) {
    for (const { name, url } of (await openAdmin(data).status()).listeners) {
      ports.set(name, Number(/:([0-9]+)(?:\/|$)/.exec(url)?.[1]));
    }
  }
  ports.set('console', Number(/https:\/\/localhost:([0-9]+)/.exec(broker.err())?.[1]));
  const { exit, err } = await motte(['device', 'add', 'pump-1', '--data', data, '--out', join(folder, 'pump-1')]);
  if (exit !== 0) throw new Error(err);
});
afterAll(async () => {
  broker?.child.kill('SIGKILL');
  await broker?.exited;
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string): string => join(folder, 'pump-1', name);
const identity = (): string[] => ['-cert', file('pump-1.crt'), '-key', file('pump-1.key'), '-CAfile', file('ca.crt')];

/** What `openssl s_client` says, with a line sent once it is connected. */
function client(listener: string, ...args: string[]): Promise<string> {
  const address = ['-connect', `127.0.0.1:${ports.get(listener)}`];
  const child = spawn('openssl', ['s_client', ...address, ...args], { stdio: 'pipe', timeout: 20_000 });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    // A TLS 1.3 session is there to be kept only once its ticket has come, some time after the handshake.
    const isWhole = args.includes('-sess_out')
      ? said.includes('New Session Ticket arrived')
      : /Verif(y return code|ication)/.test(said);
    if (isWhole) child.stdin.end('Q\n');
  });
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.on('error', () => undefined);
  return new Promise((resolve) => child.once('close', () => resolve(said)));
}

describeWith(['sslscan'], 'sslscan', () => {
  it.each([['devices'], ['web'], ['panel'], ['console'], ['enrol']])(
    'finds nothing to complain of on %s',
    async (listener) => {
      const { out } = await run('sslscan', ['--xml=-', `127.0.0.1:${ports.get(listener)}`]);
      const xml = out.toString();
      const all = (element: string): Record<string, string>[] =>
        [...xml.matchAll(new RegExp(`<${element} ([^>]*?)/?>`, 'g'))].map(([, attributes = '']) =>
          Object.fromEntries([...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value])),
        );
      const enabled = all('protocol').filter((protocol) => protocol['enabled'] === '1');
      expect(enabled.map(({ type, version }) => `${type} ${version}`)).toEqual(['tls 1.2', 'tls 1.3']);
      expect(all('renegotiation')).toEqual([{ supported: '0', secure: '0' }]);
      expect(all('heartbleed').filter(({ vulnerable }) => vulnerable !== '0')).toEqual([]);
      const ciphers = all('cipher');
      expect(ciphers.length).toBeGreaterThanOrEqual(3);
      for (const { cipher, strength } of ciphers) {
        expect(cipher).toMatch(/^TLS_(AES|CHACHA20)|^ECDHE-(ECDSA|RSA)-(AES(128|256)-GCM|CHACHA20)/);
        expect(['strong', 'acceptable']).toContain(strength);
      }
      expect([...new Set(all('group').map(({ name }) => name))].sort()).toEqual([
        'secp256r1 (NIST P-256)',
        'secp384r1 (NIST P-384)',
        'x25519',
      ]);
      expect(xml).toMatch(/<signature-algorithm>ecdsa-with-SHA256</);
    },
  );
});

describe("OpenSSL's client", () => {
  it('is served over both versions, with and without ALPN', async () => {
    for (const version of ['-tls1_2', '-tls1_3']) {
      const said = await client('devices', version, ...identity());
      expect(said).toContain('Verify return code: 0 (ok)');
      expect(said).toContain('No ALPN negotiated');
      expect(said).toContain('Secure Renegotiation IS');
    }
    expect(await client('devices', '-alpn', 'mqtt', ...identity())).toContain('ALPN protocol: mqtt');
    expect(await client('devices', '-alpn', 'h2,x-plant', ...identity())).toContain('ALPN protocol: x-plant');
    expect(await client('web', '-alpn', 'h2,http/1.1', ...identity())).toContain('ALPN protocol: http/1.1');
    expect(await client('devices', '-alpn', 'http/1.1', ...identity())).toContain('no application protocol');
    expect((await motte(['why', '--data', data])).out).toContain('listeners.alpn');
  });

  it.each([
    ['TLS 1.0', '-tls1'],
    ['TLS 1.1', '-tls1_1'],
  ])('with %s is refused', async (_name, version) => {
    for (const listener of ['devices', 'console']) {
      const said = await client(listener, version, '-cipher', 'ALL:@SECLEVEL=0', ...identity());
      expect(said).toMatch(/alert protocol version/);
    }
  });

  it('gets no early data and cannot renegotiate', async () => {
    const session = join(folder, 'session');
    await client('panel', '-tls1_3', '-sess_out', session);
    const early = join(folder, 'early');
    writeFileSync(early, 'too early');
    const again = await client('panel', '-tls1_3', '-sess_in', session, '-early_data', early);
    expect(again).toContain('Reused, TLSv1.3');
    // The ticket allows none, so the client does not even try.
    expect(again).toContain('Early data was not sent');
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${ports.get('panel')}`, '-tls1_2'], {
      stdio: 'pipe',
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (said === '' || !said.includes('Verify return')) child.stdin.write('R\n');
      said += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    expect(said).toMatch(/no renegotiation/);
  });

  it('that can use RSA alone is shown the RSA certificate, under TLS 1.2 and 1.3', async () => {
    const old = await client('panel', '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256', '-CAfile', file('ca.crt'));
    expect(old).toMatch(/Peer signature type: RSA/);
    expect(old).toContain('Verify return code: 0 (ok)');
    const fresh = await client('panel', '-tls1_3', '-sigalgs', 'rsa_pss_rsae_sha256:ecdsa_secp384r1_sha384');
    expect(fresh).toContain('Peer signature type: RSA-PSS');
    expect(await client('panel', '-tls1_3')).toContain('Peer signature type: ECDSA');
  });
});

describe('what no OpenSSL offers any more', () => {
  it.each([
    ['RC4', 0xc011, 'no cipher suite'],
    ['3DES', 0xc012, 'no cipher suite'],
    ['NULL', 0xc010, 'no cipher suite'],
    ['an export suite', 0x0003, 'no cipher suite'],
    ['anonymous Diffie-Hellman', 0x00a6, 'no cipher suite'],
    ['CBC', 0xc009, 'no cipher suite'],
    ['RSA key exchange', 0x009c, 'no cipher suite'],
  ])('%s finds nothing in common', async (_name, suite, because) => {
    for (const listener of ['devices', 'console']) {
      const answer = await helloOf(ports.get(listener) as number, 0x0303, suite);
      // One record: a fatal alert, handshake failure.
      expect(answer.toString('hex')).toBe('15030300020228');
    }
    expect((await motte(['why', 'last', '--data', data])).out).toContain(because);
  });

  it.each([
    ['SSL 3.0', 0x0300, '28'],
    ['TLS 1.0', 0x0301, '46'],
    ['TLS 1.1', 0x0302, '46'],
  ])('%s ends with an alert', async (_name, version, alert) => {
    const answer = await helloOf(ports.get('devices') as number, version, 0xc02b);
    expect(answer.toString('hex')).toMatch(new RegExp(`^1503..000202${alert}$`));
  });
});

describeWith(['mosquitto-clients'], 'the posture of a client', () => {
  it('is shown, and what the policy finds weak is flagged', async () => {
    const child = spawn('mosquitto_sub', [
      ...['-h', '127.0.0.1', '-p', String(ports.get('devices')), '--cafile', file('ca.crt'), '-V', 'mqttv311'],
      ...[
        '--cert',
        file('pump-1.crt'),
        '--key',
        file('pump-1.key'),
        '-i',
        'pump-1',
        '-k',
        '77',
        '-t',
        'devices/pump-1/down/#',
      ],
    ]);
    try {
      let found: Awaited<ReturnType<ReturnType<typeof openAdmin>['clients']>>['clients'][number] | undefined;
      while (found?.state !== 'connected') {
        await new Promise((resolve) => setTimeout(resolve, 50));
        found = (await openAdmin(data).clients()).clients.find(({ clientId }) => clientId === 'pump-1');
      }
      expect(found).toMatchObject({
        tls: 'TLSv1.3 TLS_AES_128_GCM_SHA256',
        tlsGroups: expect.stringContaining('X25519'),
        tlsResumed: false,
        version: 4,
        keepAlive: 77,
        weakness: 'it speaks MQTT 3.1.1; 5.0 is the least',
      });
      expect(found.certificateDaysLeft).toBeGreaterThan(700);
      const { out } = await motte(['why', 'pump-1', '--data', data]);
      expect(out).toContain('flagged by  identity: it speaks MQTT 3.1.1');
      expect((await motte(['client', 'show', 'pump-1', '--data', data])).out).toMatch(/certificateDaysLeft +7\d\d/);
    } finally {
      child.kill();
    }
  });
});

/** Sends a ClientHello with one suite and gives what comes back. */
async function helloOf(port: number, version: number, suite: number): Promise<Buffer> {
  const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
  const extension = (type: number, body: Buffer): Buffer => Buffer.concat([uint16(type), uint16(body.length), body]);
  const list = (...values: number[]): Buffer => Buffer.concat([uint16(values.length * 2), ...values.map(uint16)]);
  const extensions = Buffer.concat([
    extension(10, list(0x001d, 0x0017)),
    extension(13, list(0x0403, 0x0804, 0x0401)),
    extension(0xff01, Buffer.from([0])),
  ]);
  const body = Buffer.concat([
    uint16(version),
    Buffer.alloc(32, 7),
    Buffer.from([0]),
    list(suite),
    Buffer.from([1, 0]),
    uint16(extensions.length),
    extensions,
  ]);
  const hello = Buffer.concat([Buffer.from([1, 0]), uint16(body.length), body]);
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(Buffer.concat([Buffer.from([22, 3, 1]), uint16(hello.length), hello]));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks);
}
