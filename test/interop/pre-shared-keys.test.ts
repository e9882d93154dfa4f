// Pre-shared keys as an operator sets them up: `motte device add NAME --psk`, a listener for them, and mosquitto's clients.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Finished, motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { describeWith } from './counterparts.ts';
import { run, Subscriber } from './drivers/mosquitto.ts';

describeWith(['mosquitto-clients'], 'pre-shared keys with mosquitto', () => {
  const folder = mkdtempSync(join(tmpdir(), 'motte-psk-'));
  const data = join(folder, 'data');
  const command = (...args: string[]): Promise<Finished> => motte([...args, '--data', data], folder);
  let broker: Started;
  let port = '';
  let key = '';

  beforeAll(async () => {
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(
      join(data, 'motte.yaml'),
      'listeners:\n  - { name: boards, url: "mqtts://127.0.0.1:0", authentication: psk }\nconsole: off\n',
    );
    broker = await startBroker(data);
    port = /:([0-9]+)$/.exec((await openAdmin(data).status()).listeners[0]?.url ?? '')?.[1] ?? '';
  });
  afterAll(async () => {
    broker?.child.kill('SIGKILL');
    await broker?.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  const client = (identity: string, psk: string, ...further: string[]): string[] => [
    '-h',
    '127.0.0.1',
    '-p',
    port,
    '--psk-identity',
    identity,
    '--psk',
    psk,
    '-i',
    identity,
    ...further,
  ];
  const publish = (identity: string, psk: string, topic: string, ...further: string[]) =>
    run('mosquitto_pub', [...client(identity, psk), '-q', '1', '-t', topic, '-m', '21.5', ...further]);

  it('are made once, 32 bytes, and shown once', async () => {
    const added = await command(
      'device',
      'add',
      'board-1',
      '--psk',
      '--role',
      'device',
      '--role',
      'operator',
      '--json',
    );
    expect(added.exit, added.err).toBe(0);
    key = (JSON.parse(added.out) as { device: { psk: string } }).device.psk;
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    const file = join(folder, 'board-1', 'board-1.psk');
    expect(readFileSync(file, 'utf8')).toBe(`${key}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const args of [['device', 'show', 'board-1'], ['device', 'list'], ['who'], ['config', 'show']]) {
      const { out, err } = await command(...args, '--json');
      expect(out + err).not.toContain(key);
      expect(out + err).not.toContain(Buffer.from(key, 'hex').toString('base64'));
    }
    const device = JSON.parse((await command('device', 'show', 'board-1', '--json')).out) as object;
    expect(device).toMatchObject({ device: { name: 'board-1', realm: 'psk' }, certificate: null });
  });

  it('and certificates never prove the same name', async () => {
    expect(await command('device', 'add', 'board-1', '--out', 'again')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('MOT-0602'),
    });
    expect(await command('device', 'add', 'other', '--psk', '--csr', 'x')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('--psk makes no certificate'),
    });
  });

  it('carry messages', async () => {
    const watching = client('board-1', key, '-i', 'board-1/watch', '-q', '1', '-t', 'devices/#');
    const subscriber = await Subscriber.start(watching);
    try {
      const sent = await publish('board-1', key, 'devices/board-1/up/temperature');
      expect(sent).toMatchObject({ exit: 0 });
      expect(await subscriber.next()).toMatchObject({ payload: '21.5' });
      const { clients } = await openAdmin(data).clients();
      expect(clients.find(({ clientId }) => clientId === 'board-1/watch')).toMatchObject({
        identity: 'board-1@psk',
        tls: 'TLSv1.3 TLS_AES_128_GCM_SHA256',
      });
    } finally {
      subscriber.kill();
    }
  });

  it('that are wrong are explained to the operator alone', async () => {
    const wrong = await publish('board-1', '00'.repeat(32), 'devices/board-1/up/x');
    const nobody = await publish('board-9', '00'.repeat(32), 'devices/board-9/up/x');
    expect(wrong.exit).not.toBe(0);
    // Which of its numbers it ends with hangs on when it notices; that the alerts are equal is shown beside the listener.
    expect(nobody.exit).not.toBe(0);
    const why = (await command('why')).out;
    expect(why).toContain('the client does not hold the pre-shared key of board-1');
    expect(why).toContain('no device board-9 with a pre-shared key is registered');
    expect(why).toContain('motte device add NAME --psk');
    expect(broker.out()).not.toContain(key);
  });

  it.each(['revoke', 'remove'])('that are taken away by `device %s` are worth nothing at once', async (verb) => {
    const name = `board-${verb}`;
    const added = await command('device', 'add', name, '--psk', '--role', 'device', '--role', 'operator', '--json');
    const { psk } = (JSON.parse(added.out) as { device: { psk: string } }).device;
    const watching = client(name, psk, '-V', '5', '-c', '-x', '3600', '-q', '1', '-t', 'devices/#');
    const subscriber = await Subscriber.start(watching);
    try {
      const { exit, out, err } = await command('device', verb, name, '--json');
      expect({ exit, err }).toEqual({ exit: 0, err: '' });
      expect(JSON.parse(out)).toMatchObject({ name, serials: [], ended: { connections: 1, sessions: 1 } });
      const { clients } = await openAdmin(data).clients();
      expect(clients.filter(({ identity }) => identity === `${name}@psk`)).toEqual([]);
      expect((await publish(name, psk, `devices/${name}/up/x`)).exit).not.toBe(0);
    } finally {
      subscriber.kill();
    }
  });
});
