// The CA of a running broker is replaced: nobody is dropped who need not be, who has moved and who has not can both come, and
// at the end only the new one counts. Real processes; clients of someone else where they are installed.

import { readFileSync } from 'node:fs';
import { openAdmin } from '@motte/admin';
import { createKeyAndCsr, openAuthority } from '@motte/pki';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { World } from '../backup/world.ts';
import { describeWith } from '../interop/counterparts.ts';
import { run } from '../interop/drivers/mosquitto.ts';

const world = new World();
const data = 'plant';
const authority = () => openAuthority(world.path(data, 'run', 'authority.sock'));
const status = () => openAdmin(world.path(data)).status();

interface Rotated {
  readonly ca: {
    readonly current: { fingerprint: string };
    readonly old: { fingerprint: string; unmoved: number } | null;
  };
  readonly unmoved: readonly string[];
  readonly broker: boolean;
  readonly ended: number;
}
const rotate = async (...args: string[]) =>
  JSON.parse(await world.mustRun(data, 'ca', 'rotate', '--json', ...args)) as Rotated;

beforeAll(async () => {
  await world.start(data, { fresh: true });
  for (const name of ['pump-1', 'pump-2']) await world.mustRun(data, 'device', 'add', name);
});
afterAll(() => world.end());

it('rotates under live connections, without a restart', async () => {
  const live = await world.connect(data, 'pump-1');
  let closed = false;
  void live.closed.then(() => {
    closed = true;
  });
  const begun = await rotate('--overlap', '30d');
  expect(begun).toMatchObject({ broker: true, unmoved: ['pump-1', 'pump-2'] });
  expect((await status()).caTrusted).toEqual([begun.ca.old?.fingerprint, begun.ca.current.fingerprint]);
  await world.mustRun(data, 'device', 'add', 'pump-3', '--key-type', 'ec384');
  expect(readFileSync(world.path('pump-3', 'ca.crt'), 'utf8').match(/BEGIN/g)).toHaveLength(2);
  for (const name of ['pump-2', 'pump-3']) {
    const client = await world.connect(data, name);
    await client.publish(`devices/${name}/up/x`, Buffer.from('1'), { qos: 1 });
    await client.disconnect();
  }
  const shown = await world.mustRun(data, 'ca', 'show');
  expect(shown).toContain('not moved yet, 2 of 3:\n  pump-1\n  pump-2');
  expect(closed).toBe(false);
  expect((await status()).findings).toEqual([]);
  await live.disconnect();
});

describeWith(['mosquitto-clients'], "Mosquitto's client", () => {
  it.each(['pump-2', 'pump-3'])('of %s, moved or not, is let in by a ca.crt of one root or two', async (name) => {
    const { listeners } = await status();
    const port = /:([0-9]+)$/.exec(listeners[0]?.url ?? '')?.[1] ?? '';
    const at = (file: string) => world.path(name, file);
    const pem = ['--cafile', at('ca.crt'), '--cert', at(`${name}.crt`), '--key', at(`${name}.key`)];
    const topic = ['-t', `devices/${name}/up/x`, '-m', '1', '-q', '1'];
    expect(await run('mosquitto_pub', ['-h', 'localhost', '-p', port, ...pem, '-i', name, ...topic])).toMatchObject({
      exit: 0,
      err: '',
    });
  });
});

it('is not finished while devices have not moved; forced, they are ended and stay out', async () => {
  const refused = await world.run(data, 'ca', 'rotate', '--finish');
  expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining('MOT-0462') });
  // One moves; its connection of before goes on.
  const { csr } = await createKeyAndCsr('pump-1', { type: 'ec' });
  await authority().issueDevice({ name: 'pump-1', csr, force: true });
  const [moved, left] = [await world.connect(data, 'pump-3'), await world.connect(data, 'pump-2')];
  const ended = await rotate('--finish', '--force');
  expect(ended).toMatchObject({ broker: true, unmoved: ['pump-2'], ended: 1, ca: { old: null } });
  await left.closed;
  expect((await status()).caTrusted).toEqual([ended.ca.current.fingerprint]);
  await expect(world.connect(data, 'pump-2')).rejects.toThrow();
  await moved.publish('devices/pump-3/up/x', Buffer.from('1'), { qos: 1 });
  await moved.disconnect();
  // pump-3 has both roots and finds the broker under the new one.
  await (await world.connect(data, 'pump-3')).disconnect();
});

it('says what it takes', async () => {
  for (const args of [[], ['--overlap', '1d', '--finish'], ['--overlap', '1d', '--force']]) {
    expect(await world.run(data, 'ca', 'rotate', ...args)).toMatchObject({ exit: 2, out: '' });
  }
  expect(await world.run(data, 'ca', 'rotate', '--finish')).toMatchObject({ exit: 1 });
});
