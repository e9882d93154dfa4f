// A device whose daily renewal is not due learns that the CA is being replaced, and moves by itself.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-move-'));
const data = join(folder, 'data');
const admin = (...args: string[]) => motte([...args, '--data', data], folder);
const device = (...args: string[]) => motte(args, folder);
const roots = () => readFileSync(join(folder, 'valve', 'ca.crt'), 'utf8').match(/BEGIN/g)?.length;
let broker: Started;

vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  const server = createServer();
  const free = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  await new Promise((resolve) => server.close(resolve));
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(
    join(data, 'motte.yaml'),
    `listeners: [{ name: devices, url: "mqtts://127.0.0.1:0" }]\nconsole: off\nenrol: { url: "https://127.0.0.1:${free}" }\n`,
  );
  broker = await startBroker(data);
});
afterAll(async () => {
  broker.child.kill('SIGTERM');
  await broker.exited;
  rmSync(folder, { recursive: true, force: true });
});

it('moves without --force, once, and the replacement can be finished', async () => {
  const { out } = await admin('device', 'add', 'valve', '--token');
  const line = /motte (enrol .*)/.exec(out)?.[1] ?? '';
  // Told once it is open; it opens within a second of the token.
  await vi.waitFor(async () => expect(await device(...line.split(' '))).toMatchObject({ exit: 0, err: '' }), {
    timeout: 60_000,
  });
  const renew = async () => (await device('enrol', '--renew', 'valve')).out;
  expect(await renew()).toContain('is renewed from');
  expect(roots()).toBe(1);
  expect(await admin('ca', 'rotate', '--overlap', '1h')).toMatchObject({ exit: 0 });
  expect((await admin('ca', 'rotate', '--finish')).err).toContain('MOT-0462');
  await vi.waitFor(async () => expect(await renew()).toContain('has a new certificate'), { timeout: 60_000 });
  expect(roots()).toBe(2);
  expect(await renew()).toContain('is renewed from');
  expect(await admin('ca', 'rotate', '--finish')).toMatchObject({ exit: 0, err: '' });
  expect(await renew()).toContain('is renewed from');
});
