// An authority of the operator's own: mosquitto's clients with its certificates, its file replaced and broken under a running
// broker.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { createTestAuthority, type TestAuthority } from '../fixtures/certificates.ts';
import { describeWith } from './counterparts.ts';
import { run, Subscriber } from './drivers/mosquitto.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-foreign-ca-'));
const data = join(folder, 'data');
const file = (name: string): string => join(folder, name);
const YAML = `listeners:
  - { name: plant, url: "mqtts://127.0.0.1:0", clientCa: [plant, strict], identity: { from: san-dns, suffix: .plant } }
  - { name: own, url: "mqtts://127.0.0.1:0" }
tls:
  clientCa:
    - { id: plant, file: plant.pem, roles: [device], names: ["pump-*"] }
    - { id: strict, file: strict.pem }
console: off
log: { shape: json }
`;

describeWith(['mosquitto-clients', 'openssl'], "an authority of the operator's own", () => {
  let plant: TestAuthority;
  let strict: TestAuthority;
  let broker: Started | undefined;
  let ports: Record<string, number>;

  beforeAll(async () => {
    plant = createTestAuthority('Plant');
    strict = createTestAuthority('Strict');
    mkdirSync(data);
    writeFileSync(file('motte.yaml'), YAML);
    writeFileSync(file('plant.pem'), plant.ca);
    writeFileSync(file('strict.pem'), strict.ca);
    broker = await startBroker(data, ['--config', file('motte.yaml')]);
    const { listeners } = await openAdmin(data).status();
    ports = Object.fromEntries(listeners.map(({ name, url }) => [name, Number(/:([0-9]+)$/.exec(url)?.[1])]));
    await motte(['device', 'add', 'mine', '--out', file('mine'), '--data', data]);
  });
  afterAll(async () => {
    broker?.child.kill('SIGTERM');
    await broker?.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  /** What a client shows: made once for each name and authority. */
  function credentials(authority: TestAuthority, name: string): string[] {
    const at = file(`${name}-${authority === plant ? 'plant' : authority === strict ? 'strict' : 'new'}`);
    if (!existsSync(`${at}.crt`)) {
      const pair = authority.issue(name, { subject: '/O=Plant', subjectAltName: `DNS:${name}.plant` });
      writeFileSync(`${at}.crt`, pair.cert);
      writeFileSync(`${at}.key`, pair.key, { mode: 0o600 });
    }
    return ['--cert', `${at}.crt`, '--key', `${at}.key`];
  }

  const to = (listener: string, name: string): string[] => {
    const where = ['-h', '127.0.0.1', '-p', `${ports[listener]}`, '--cafile', file('mine/ca.crt')];
    return [...where, '-i', name, '-V', '5'];
  };

  async function publish(authority: TestAuthority, name: string, listener = 'plant'): Promise<number | null> {
    const what = ['-q', '1', '-t', `devices/${name}/up/t`, '-m', 'x'];
    return (await run('mosquitto_pub', [...to(listener, name), ...credentials(authority, name), ...what])).exit;
  }

  async function reload(): Promise<void> {
    const before = broker?.out().length ?? 0;
    broker?.child.kill('SIGHUP');
    for (let n = 0; n < 200; n++) {
      if (/was read again|the old configuration stays/.test((broker?.out() ?? '').slice(before))) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('it was not read again');
  }

  const findings = async (): Promise<string> =>
    (await openAdmin(data).status()).findings.map(({ why }) => why).join('\n');

  it('lets in its devices, by the names that it may prove, where the listener names it', async () => {
    const first = await publish(plant, 'pump-1');
    expect(first, (await motte(['why', 'last', '--data', data])).out).toBe(0);
    expect(await publish(plant, 'panel-1')).not.toBe(0);
    expect((await motte(['why', 'panel-1', '--data', data])).out).toContain('may not prove the name panel-1');
    expect(await publish(plant, 'pump-1', 'own')).not.toBe(0);
    const mine = ['--cert', file('mine/mine.crt'), '--key', file('mine/mine.key')];
    const what = ['-q', '1', '-t', 'devices/mine/up/t', '-m', 'x'];
    expect((await run('mosquitto_pub', [...to('own', 'mine'), ...mine, ...what])).exit).toBe(0);
    expect((await run('mosquitto_pub', [...to('plant', 'mine'), ...mine, ...what])).exit).not.toBe(0);
  });

  it('without roles lets in whoever is registered with it, at once', async () => {
    expect(await publish(strict, 'pump-1')).not.toBe(0);
    const add = (ca: string) =>
      motte(['device', 'add', 'pump-1', '--ca', ca, '--data', data, '--config', file('motte.yaml')]);
    expect(await add('nobody')).toMatchObject({ exit: 2, err: expect.stringContaining('MOT-0413') });
    expect(await add('strict')).toMatchObject({
      exit: 0,
      out: expect.stringContaining('pump-1 of the authority strict'),
    });
    expect(await add('strict')).toMatchObject({ exit: 1, err: expect.stringContaining('MOT-0602') });
    expect(await publish(strict, 'pump-1')).toBe(0);
    expect((await motte(['device', 'list', '--data', data])).out).toContain('ca:strict');
  });

  it('a broken file changes nothing and is a finding', async () => {
    for (const text of ['', 'nonsense', plant.issue('x').cert, plant.ca + strict.issuing.cert, plant.issuing.cert]) {
      writeFileSync(file('plant.pem'), text);
      await reload();
      expect(await findings()).toContain('MOT-0412');
      expect(await publish(plant, 'pump-1')).toBe(0);
    }
    writeFileSync(file('plant.pem'), plant.ca);
    await reload();
    expect(await findings()).not.toContain('MOT-0412');
  });

  it('a CA that is taken out is gone: nobody comes in by it, and whoever is in is out', async () => {
    const args = [...to('plant', 'pump-1'), ...credentials(plant, 'pump-1'), '-t', 'devices/pump-1/down/#'];
    const live = await Subscriber.start(args);
    const strictly = await Subscriber.start([
      ...to('plant', 'pump-1'),
      ...credentials(strict, 'pump-1'),
      '-t',
      'devices/pump-1/down/#',
    ]);
    const next = createTestAuthority('Plant');
    writeFileSync(file('plant.pem'), next.ca);
    await reload();
    expect(await publish(plant, 'pump-1')).not.toBe(0);
    expect(await publish(next, 'pump-1')).toBe(0);
    const { clients } = await openAdmin(data).clients();
    expect(clients.filter(({ state }) => state === 'connected').map(({ identity }) => identity)).toEqual([
      'pump-1@ca:strict',
    ]);
    live.kill();
    strictly.kill();
  });
});
