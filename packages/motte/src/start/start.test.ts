// The built program as a broker: start, lock, reload, device add running and not, SIGTERM, kill -9.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { motte, type Started, startBroker } from '../testing/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-start-'));
const data = join(folder, 'data');
const YAML = 'listeners:\n  - { name: devices, url: "mqtts://127.0.0.1:0" }\nconsole: { url: "https://localhost:0" }\n';
let broker: Started | undefined;

beforeAll(() => {
  mkdirSync(data);
  writeFileSync(join(data, 'motte.yaml'), YAML);
});
afterEach(async () => {
  broker?.child.kill('SIGKILL');
  await broker?.exited;
  broker = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('motte start', () => {
  it('works on a directory that holds only motte.yaml, greets, and makes it private', async () => {
    broker = await startBroker(data);
    expect(broker.err()).toMatch(/CA \(made just now\), SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}/);
    expect(broker.err()).toContain('trial mode: CA not separated');
    expect(statSync(data).mode & 0o777).toBe(0o700);
    const { exit, out } = await motte(['status', '--data', data, '--json']);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ format: 1, healthy: true, phase: 'serving', authoritySeparated: false });
  });

  it('a second start says who holds the directory', async () => {
    broker = await startBroker(data);
    const second = await motte(['start', '--data', data]);
    expect(second).toMatchObject({
      exit: 4,
      err: expect.stringMatching(new RegExp(`process ${broker.child.pid} .*MOT-0203`)),
    });
  });

  it('what the authority refuses is one line under its own number', async () => {
    chmodSync(join(data, 'pki'), 0o755);
    try {
      const { exit, err } = await motte(['start', '--data', data]);
      expect(exit).toBe(4);
      expect(err).toMatch(
        /^motte: the CA directory is not safe to use: .* has mode 0755, open to others \(MOT-0423\)\n/,
      );
      expect(err).toContain('chmod go-rwx');
      expect(err).not.toContain('MOT-0401');
    } finally {
      chmodSync(join(data, 'pki'), 0o700);
    }
  });

  it('SIGTERM ends it with 0 and leaves no socket behind', async () => {
    broker = await startBroker(data);
    broker.child.kill('SIGTERM');
    expect(await broker.exited).toBe(0);
    expect(readdirSync(join(data, 'run')).filter((name) => name.endsWith('.sock'))).toEqual([]);
  });

  it('after kill -9 it starts at once', async () => {
    broker = await startBroker(data);
    broker.child.kill('SIGKILL');
    expect(await broker.exited).toBe('SIGKILL');
    broker = await startBroker(data);
    expect((await motte(['status', '--data', data])).exit).toBe(0);
  });

  it('device add works at once, while it runs and while it does not, and never overwrites', async () => {
    broker = await startBroker(data);
    expect(await motte(['device', 'add', 'pump-1', '--data', data], folder)).toMatchObject({ exit: 0 });
    expect(readdirSync(join(folder, 'pump-1')).sort()).toEqual(['ca.crt', 'pump-1.crt', 'pump-1.key']);
    expect(statSync(join(folder, 'pump-1', 'pump-1.key')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'pump-1', 'pump-1.crt'), 'utf8').match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    const key = readFileSync(join(folder, 'pump-1', 'pump-1.key'), 'utf8');
    expect(await motte(['device', 'add', 'pump-1', '--data', data, '--out', 'other'], folder)).toMatchObject({
      exit: 1,
      err: expect.stringContaining('MOT-0602'),
    });
    expect(await motte(['device', 'add', 'pump-9', '--data', data, '--out', 'pump-1'], folder)).toMatchObject({
      exit: 1,
      err: expect.stringContaining('MOT-0604'),
    });
    expect(readFileSync(join(folder, 'pump-1', 'pump-1.key'), 'utf8')).toBe(key);
    expect(await motte(['device', 'add', '../x', '--data', data], folder)).toMatchObject({ exit: 2 });
    for (const [role, why] of [
      ['operater', '"operater"'],
      ['lab', 'only for a listener with a waiver'],
    ] as const) {
      const refused = await motte(['device', 'add', 'pump-3', '--data', data, '--role', role], folder);
      expect(refused).toMatchObject({ exit: 2, err: expect.stringContaining('there are: device, operator') });
      expect(refused.err).toMatch(new RegExp(`no such role: .*${why}.* \\(MOT-0606\\)`));
      await expect(openAdmin(data).addDevice({ name: 'pump-3', roles: [role] })).rejects.toMatchObject({
        code: 'MOT-0606',
      });
    }
    expect(readdirSync(folder)).not.toContain('pump-3');

    broker.child.kill('SIGTERM');
    await broker.exited;
    const offline = await motte(['device', 'add', 'pump-2', '--data', data, '--role', 'operator', '--json'], folder);
    expect(JSON.parse(offline.out)).toMatchObject({ format: 1, device: { name: 'pump-2', roles: ['operator'] } });
    const { out } = await motte(['device', 'list', '--data', data, '--json']);
    expect(JSON.parse(out).devices.map(({ name }: { name: string }) => name)).toEqual(['pump-1', 'pump-2']);
  }, 60_000);

  it('SIGHUP takes what applies now, refuses by name what does not, and keeps the old after a mistake', async () => {
    const file = join(data, 'motte.yaml');
    broker = await startBroker(data);
    const reload = async (text: string, said: string) => {
      writeFileSync(file, text);
      broker?.child.kill('SIGHUP');
      while (!broker?.out().includes(said)) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    try {
      await reload(`${YAML}log: { level: warn, shape: json }\n`, 'log.shape needs a restart');
      await reload(`${YAML}limits: { receiveMaximum: 7 }\n`, 'limits.receiveMaximum needs a restart');
      await reload('nonsense: 1\n', 'motte.yaml:1:1: nonsense: unknown key');
      await reload(`${YAML}log: { level: debug }\n`, '"changed":["log.level"]');
      expect(await openAdmin(data).config()).toMatchObject({
        number: 2,
        config: { config: { log: { level: 'debug' }, limits: { receiveMaximum: 100 } } },
      });
    } finally {
      writeFileSync(file, YAML);
    }
  });
});
