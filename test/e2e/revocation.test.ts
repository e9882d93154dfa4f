// A device is taken away: whatever it is connected by, whatever waits for it, and what it would have said last. The real
// program, with mqtts, wss and a resumed TLS session; each way must be gone within a second of the command being typed.

import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { openAdmin } from '@motte/admin';
import { connectClient, type OpenTransport } from '@motte/client';
import { parseTopicFilter } from '@motte/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { will } from '../harness/will.ts';
import { RunningBroker } from './running-broker.ts';

const broker = new RunningBroker('revoke', () => [
  '{ name: devices, url: "mqtts://127.0.0.1:0" }',
  '{ name: web, url: "wss://127.0.0.1:0/mqtt" }',
  '{ name: lab, url: "mqtt://127.0.0.1:0", authentication: none, role: lab, waiver: a test }',
]);

beforeAll(async () => {
  await broker.start();
  for (const name of ['pump-1', 'pump-2']) await broker.command('device', 'add', name);
  await broker.command('device', 'add', 'panel', '--role', 'operator');
}, 60_000);
afterAll(() => broker.remove());

/** Opened with the ticket of an earlier connection; fails if that was not taken. */
function resumed(name: string, session: Buffer): OpenTransport {
  return () =>
    new Promise((resolve, reject) => {
      const socket = openTls(name, session);
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        if (socket.isSessionReused()) resolve(socket);
        else reject(new Error('not resumed'));
      });
    });
}

const openTls = (name: string, session?: Buffer): TLSSocket =>
  connectTls({
    host: '127.0.0.1',
    port: broker.port('devices'),
    ...broker.pairOf(name),
    ...(session ? { session } : {}),
  });

async function ticketOf(name: string): Promise<Buffer> {
  const socket = openTls(name);
  const ticket = new Promise<Buffer>((resolve) => socket.once('session', resolve));
  const transport: OpenTransport = () =>
    new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve(socket));
    });
  const client = await broker.connect({ transport, clientId: `${name}/first` });
  const got = await ticket;
  await client.disconnect();
  return got;
}

/** Nobody else may send to devices. */
const lab = () => broker.connect({ transport: broker.mqtt(), clientId: 'lab' });
const at = (filter: string) => [{ filter: parseTopicFilter(filter), qos: 1 as const }];
const KEPT = { sessionExpiryInterval: 3_600 };

describe('`device revoke` of a device that is connected in three ways', () => {
  it('ends all of them within a second, cancels wills, purges queues, and says so', async () => {
    const panel = await broker.connect({ transport: broker.mqtts('panel'), clientId: 'panel' });
    const heard: string[] = [];
    panel.onMessage(({ topic, payload }) => heard.push(`${topic} ${Buffer.from(payload).toString()}`));
    await panel.subscribe(at('devices/#'));
    const last = (topic: string) => will(`devices/pump-1/up/${topic}`, 'gone', { qos: 1 });

    const ticket = await ticketOf('pump-1');
    const ways = [
      await broker.connect({
        transport: broker.mqtts('pump-1'),
        clientId: 'pump-1',
        properties: KEPT,
        will: last('mqtts'),
      }),
      await broker.connect({ transport: broker.wss('pump-1'), clientId: 'pump-1/web', will: last('wss') }),
      await broker.connect({ transport: resumed('pump-1', ticket), clientId: 'pump-1/resumed', will: last('resumed') }),
      await broker.connect({ transport: broker.mqtts('pump-1'), clientId: 'pump-1/old', version: 4 }),
    ];
    const other = await broker.connect({ transport: broker.mqtts('pump-2'), clientId: 'pump-2' });
    // One more that is away, with a queue and a will that waits.
    const away = await broker.connect({
      transport: broker.mqtts('pump-1'),
      clientId: 'pump-1/away',
      properties: KEPT,
      will: will('devices/pump-1/up/away', 'gone', { properties: { willDelayInterval: 3_000 } }),
    });
    await away.subscribe(at('devices/pump-1/down/#'));
    away.destroy();
    await away.closed;
    for (let n = 0; n < 5; n += 1)
      await lab().then((one) => one.publish('devices/pump-1/down/cmd', `${n}`, { qos: 1 }));

    const startedMs = performance.now();
    const goneMs = Promise.all(ways.map(({ closed }) => closed.then((how) => ({ how, ms: performance.now() }))));
    const asked = broker.run('device', 'revoke', 'pump-1', '--json');
    const { exit, out, err } = await asked;
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    const answer = JSON.parse(out) as Record<string, unknown>;
    expect(answer).toMatchObject({ format: 1, name: 'pump-1', good: 0 });
    expect(answer['ended']).toMatchObject({ connections: 4, queuedMessages: 5, wills: 4 });
    expect(answer['serials']).toHaveLength(1);
    expect(answer['ms']).toBeLessThan(1_000);

    const gone = await goneMs;
    expect(gone.map(({ how }) => how.code)).toEqual([0x98, 0x98, 0x98, undefined]);
    // From the start of the program that was typed, which itself takes most of it.
    for (const { ms } of gone) expect(ms - startedMs).toBeLessThan(5_000);
    expect(Math.max(...gone.map(({ ms }) => ms)) - Math.min(...gone.map(({ ms }) => ms))).toBeLessThan(1_000);

    for (const transport of [broker.mqtts('pump-1'), broker.wss('pump-1')]) {
      await expect(connectClient({ transport, clientId: 'pump-1' })).rejects.toMatchObject({ code: 0x87 });
    }
    await expect(connectClient({ transport: resumed('pump-1', ticket), clientId: 'pump-1' })).rejects.toThrow();
    await other.ping();
    await panel.ping();
    expect(heard.filter((one) => one.endsWith('gone'))).toEqual([]);

    const { refusals } = await openAdmin(broker.data).refusals('pump-1');
    expect(refusals.map(({ because }) => because)).toContain('the certificate of pump-1 was revoked');
    expect(refusals.map(({ seen }) => seen)).toContain('DISCONNECT 0x98');
    expect(broker.out()).toContain('device.revoked');
    const { clients: rows } = await openAdmin(broker.data).clients();
    expect(rows.filter(({ identity }) => identity === 'pump-1')).toEqual([]);
  }, 60_000);

  it('stays so over kill -9, and what it had does not come back with a new certificate', async () => {
    await broker.end('SIGKILL');
    await broker.start();
    await expect(connectClient({ transport: broker.mqtts('pump-1'), clientId: 'pump-1' })).rejects.toMatchObject({
      code: 0x87,
    });
    expect(await broker.command('device', 'renew', 'pump-1', '--out', 'renewed')).toContain('has a new certificate');
    const old = connectClient({ transport: broker.mqtts('pump-1'), clientId: 'pump-1' });
    await expect(old).rejects.toMatchObject({ code: 0x87 });
    for (const clientId of ['pump-1', 'pump-1/away']) {
      const back = await broker.connect({ transport: broker.mqtts('pump-1', 'renewed'), clientId, cleanStart: false });
      expect(back.connack.sessionPresent).toBe(false);
    }
  }, 60_000);
});

describe('`device renew --revoke-old`', () => {
  it('ends what is connected by the old certificate, and its session goes on with the new one', async () => {
    const before = await broker.connect({ transport: broker.mqtts('pump-2'), clientId: 'pump-2', properties: KEPT });
    await before.subscribe(at('devices/pump-2/down/#'));
    const said = await broker.command('device', 'renew', 'pump-2', '--out', 'new', '--revoke-old');
    expect(said).toMatch(/its earlier ones: 1 certificate revoked, 1 certificate of it stays good; ended 1 connection/);
    expect((await before.closed).code).toBe(0x98);
    await lab().then((one) => one.publish('devices/pump-2/down/cmd', 'while away', { qos: 1 }));
    const heard: string[] = [];
    const after = await broker.connect({
      transport: broker.mqtts('pump-2', 'new'),
      clientId: 'pump-2',
      cleanStart: false,
      properties: KEPT,
      onMessage: ({ payload }) => heard.push(Buffer.from(payload).toString()),
    });
    expect(after.connack.sessionPresent).toBe(true);
    await expect.poll(() => heard).toEqual(['while away']);
  }, 60_000);
});

describe('while no broker runs', () => {
  it('a device is revoked, and its session ends before anybody is let in', async () => {
    await broker.end('SIGTERM');
    const out = await broker.command('device', 'revoke', 'pump-2');
    expect(out).toContain('no broker runs here');
    expect(JSON.parse(await broker.command('device', 'show', 'pump-2', '--json'))).toMatchObject({
      device: { state: 'disabled' },
      certificate: { revokedAt: expect.stringMatching(/Z$/) },
    });
    await broker.start();
    const { clients: rows } = await openAdmin(broker.data).clients();
    expect(rows.filter(({ identity }) => identity === 'pump-2')).toEqual([]);
    await expect(connectClient({ transport: broker.mqtts('pump-2', 'new'), clientId: 'pump-2' })).rejects.toMatchObject(
      {
        code: 0x87,
      },
    );
  }, 60_000);

  it('the list for others names both, in a form that OpenSSL checks', async () => {
    const { run } = await import('../interop/drivers/mosquitto.ts');
    await broker.command('ca', 'crl', '--out', 'ca.crl');
    expect(broker.read('ca.crl')).toMatch(/^-----BEGIN X509 CRL-----\n/);
    const issuing = join(broker.data, 'pki', 'ca', 'issuing.crt');
    const shown = await run('openssl', [
      'crl',
      '-in',
      join(broker.folder, 'ca.crl'),
      '-text',
      '-noout',
      '-CAfile',
      issuing,
    ]);
    expect(shown.err).toContain('verify OK');
    for (const file of [
      ['pump-1', 'pump-1.crt'],
      ['new', 'pump-2.crt'],
    ]) {
      expect(String(shown.out)).toContain(`Serial Number: ${new X509Certificate(broker.read(...file)).serialNumber}`);
    }
    expect(String(shown.out)).not.toContain(new X509Certificate(broker.read('panel', 'panel.crt')).serialNumber);
  }, 60_000);
});

describe('`device remove`', () => {
  it('forgets the name, which another device may have then', async () => {
    const panel = await broker.connect({ transport: broker.mqtts('panel'), clientId: 'panel' });
    expect(await broker.command('device', 'remove', 'panel')).toMatch(
      /^device panel is removed: 1 certificate revoked; ended 1 c/,
    );
    expect((await panel.closed).code).toBe(0x98);
    expect(await broker.run('device', 'show', 'panel')).toMatchObject({ exit: 1 });
    await broker.command('device', 'add', 'panel', '--out', 'panel-2');
    await expect(connectClient({ transport: broker.mqtts('panel'), clientId: 'panel' })).rejects.toMatchObject({
      code: 0x87,
    });
    await broker.connect({ transport: broker.mqtts('panel', 'panel-2'), clientId: 'panel' });
  }, 60_000);

  it('of what is not there says so', async () => {
    const done = await broker.run('device', 'revoke', 'nobody');
    expect(done).toMatchObject({ exit: 1, err: expect.stringContaining('MOT-0603') });
  });
});
