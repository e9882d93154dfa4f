// A backup made while messages come in, restored elsewhere: the restored broker owes what the old one owed at that moment, knows
// its devices, and is trusted by them. Real processes, mTLS, free ports on loopback.

import { mkdirSync, readFileSync, statSync } from 'node:fs';
import type { MqttClient } from '@motte/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeWith } from '../interop/counterparts.ts';
import { Inbox, pipe, World } from './world.ts';

interface Made {
  readonly bytes: number;
  readonly where: string;
  readonly ca: string;
  readonly parts: readonly { readonly name: string; readonly at: number; readonly bytes: number }[];
  readonly counts: Record<string, number>;
  readonly findings: readonly string[];
}

// Each test starts several programs, one after the other.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const world = new World();
const LIVE = 'devices/pump-1/up/live';
const ONCE = 'devices/pump-1/up/once';
const STATE = 'devices/pump-1/up/state';
/** What was acknowledged before the backup began, and in all. */
let before = 0;
let acknowledged = 0;
let made: Made;

/** Publishes numbers until told to stop; counts those that were acknowledged. */
function publishOn(pump: MqttClient): () => Promise<void> {
  let isOver = false;
  const done = (async () => {
    for (let number = acknowledged + 1; !isOver; number++) {
      await pump.publish(LIVE, String(number), { qos: 1 });
      acknowledged = number;
    }
  })();
  return () => {
    isOver = true;
    return done;
  };
}

beforeAll(async () => {
  await world.makeKeys();
  await world.start('old', { fresh: true });
  await world.mustRun('old', 'device', 'add', 'pump-1');
  await world.mustRun('old', 'device', 'add', 'panel', '--role', 'operator');
  await world.mustRun('old', 'token', 'add', 'login', '--audience', 'motte', '--jwks', 'https://127.0.0.1:1/keys');
  await world.mustRun('old', 'token', 'revoke', 'login', '--id', 'stolen');
  const panel = await world.connect('old', 'panel');
  await panel.subscribe([{ filter: 'devices/#', qos: 2 }]);
  await panel.disconnect();
  const pump = await world.connect('old', 'pump-1');
  await pump.publish(STATE, 'running', { qos: 1, retain: true });
  for (let number = 1; number <= 20; number++) await pump.publish(ONCE, String(number), { qos: 2 });
  for (let number = 1; number <= 100; number++) await pump.publish(LIVE, String(number), { qos: 1 });
  acknowledged = 100;
  const stop = publishOn(pump);
  before = acknowledged;
  made = JSON.parse(await world.mustRun('old', 'backup', 'backup', '--recipient', world.recipient, '--json')) as Made;
  await stop();
  await pump.disconnect();
});
afterAll(() => world.end());

describe('a backup of a running broker', () => {
  it('is one private file, sealed, with nothing readable in it but what it is', () => {
    const file = world.path('backup');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(file);
    expect(bytes).toHaveLength(made.bytes);
    expect(made).toMatchObject({ where: 'running', findings: [], counts: { identities: 2, sessions: 2 } });
    expect(acknowledged).toBeGreaterThan(before);
    for (const secret of ['running', 'pump-1', 'PRIVATE KEY', 'mqtts:']) expect(bytes.includes(secret)).toBe(false);
  });

  it('--verify finds it whole, and changes nothing', async () => {
    const { exit, out, err } = await world.run(
      'nowhere',
      'restore',
      'backup',
      '--verify',
      '--identity',
      'key',
      '--json',
    );
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    const { ok, counts } = JSON.parse(out) as { ok: boolean; counts: Record<string, number> };
    // Root, issuing CA, the server's, and two devices.
    expect({ ok, ...counts }).toMatchObject({ ok: true, ...made.counts, damaged: 0, certificates: 5 });
    expect(() => statSync(world.path('nowhere'))).toThrow('ENOENT');
  });

  it('never goes over a file that is there', async () => {
    const { exit, err } = await world.run('old', 'backup', 'backup', '--recipient', world.recipient);
    expect({ exit, err }).toEqual({
      exit: 1,
      err: expect.stringMatching(/^motte: will not overwrite a file: .*MOT-0604/),
    });
    expect(readFileSync(world.path('backup'))).toHaveLength(made.bytes);
  });
});

describe('the restored broker', () => {
  beforeAll(async () => {
    await world.stop('old');
    await world.mustRun('new', 'restore', 'backup', '--identity', 'key', '--revocations', world.path('old'));
    await world.start('new');
  });

  it('knows whose tokens are taken, and which are not', async () => {
    const { issuers, revocations } = JSON.parse(await world.mustRun('new', 'token', 'list', '--json'));
    expect(issuers).toMatchObject([{ issuer: 'login', from: 'data' }]);
    expect(revocations).toMatchObject([{ issuer: 'login', id: 'stolen' }]);
  });

  it('delivers what the old one owed at that moment: all that was acknowledged before, in order, once', async () => {
    const inbox = new Inbox();
    const panel = await world.connect('new', 'panel', { onMessage: inbox.take });
    expect(panel.connack.sessionPresent).toBe(true);
    const owed = made.counts['queued'] ?? 0;
    await inbox.until(owed);
    // Whatever else it might send would come before this.
    const pump = await world.connect('new', 'pump-1');
    await pump.publish(LIVE, 'after', { qos: 1 });
    await inbox.until(owed + 1);
    await Promise.all([panel.disconnect(), pump.disconnect()]);
    expect(inbox.texts(ONCE)).toEqual(Array.from({ length: 20 }, (_, index) => String(index + 1)));
    expect(inbox.texts(STATE)).toEqual(['running']);
    const live = inbox.texts(LIVE);
    expect(live.pop()).toBe('after');
    expect(live).toEqual(Array.from({ length: live.length }, (_, index) => String(index + 1)));
    expect(live.length).toBeGreaterThanOrEqual(before);
    expect(live.length).toBeLessThanOrEqual(acknowledged);
    expect(inbox.messages).toHaveLength(owed + 1);
  });

  it('has the retained message for who comes new, and takes devices that were not there', async () => {
    await world.mustRun('new', 'device', 'add', 'display', '--role', 'operator');
    const inbox = new Inbox();
    const display = await world.connect('new', 'display', { onMessage: inbox.take });
    await display.subscribe([{ filter: 'devices/+/up/state', qos: 1 }]);
    await inbox.until(1);
    expect(inbox.messages[0]).toMatchObject({ topic: STATE, retain: true });
    await display.disconnect();
    const devices = JSON.parse(await world.mustRun('new', 'device', 'list', '--json')) as {
      devices: { name: string }[];
    };
    expect(devices.devices.map(({ name }) => name)).toEqual(['display', 'panel', 'pump-1']);
  });

  it('is not restored over: exit 4, and it goes on', async () => {
    const { exit, err } = await world.run('new', 'restore', 'backup', '--identity', 'key');
    expect({ exit, err }).toEqual({ exit: 4, err: expect.stringMatching(/new is not empty \(MOT-0809\)\n/) });
    await world.mustRun('new', 'status');
  });
});

describe('a backup of a stopped broker', () => {
  it('with a passphrase holds all that was acknowledged, and restores into an empty directory', {
    timeout: 120_000,
  }, async () => {
    const passphrase = ['--passphrase-file', 'passphrase'];
    const old = ['--revocations', world.path('old')];
    const { counts, where } = JSON.parse(
      await world.mustRun('old', 'backup', 'stopped', ...passphrase, '--json'),
    ) as Made;
    expect({ counts, where }).toMatchObject({ where: 'offline', counts: { queued: 21 + acknowledged, retained: 1 } });
    const { exit, err } = await world.run('third', 'restore', 'stopped', ...old, '--passphrase-file', 'other');
    expect({ exit, err }).toEqual({
      exit: 4,
      err: expect.stringMatching(/^motte: the backup cannot be opened: .*MOT-0807/),
    });
    mkdirSync(world.path('third'));
    await world.mustRun('third', 'restore', 'stopped', ...old, ...passphrase);
    await world.start('third');
    const inbox = new Inbox();
    const panel = await world.connect('third', 'panel', { onMessage: inbox.take });
    await inbox.until(21 + acknowledged);
    await panel.disconnect();
    expect(inbox.texts(LIVE).at(-1)).toBe(String(acknowledged));
  });
});

describeWith(['age'], "Debian's age", () => {
  it('opens both parts, and a key of age-keygen serves as ours do', async () => {
    const bytes = readFileSync(world.path('backup'));
    const [broker, authority] = made.parts.map(({ at, bytes: length }) =>
      pipe('age', ['-d', '-i', world.path('key')], bytes.subarray(at, at + length)),
    );
    expect(broker?.includes('devices/pump-1/up/state'.replaceAll('/', '\0'))).toBe(true);
    expect(authority?.toString()).toContain('"file":"ca/root.key"');
    const key = pipe('age-keygen', [], Buffer.alloc(0)).toString();
    const recipient = /public key: (age1\S+)/.exec(key)?.[1] ?? '';
    const sealed = JSON.parse(
      await world.mustRun('old', 'backup', 'for-age', '--recipient', recipient, '--json'),
    ) as Made;
    const [, part] = sealed.parts;
    const cipher = readFileSync(world.path('for-age')).subarray(part?.at, (part?.at ?? 0) + (part?.bytes ?? 0));
    expect(
      pipe('sh', ['-c', 'printf %s "$0" > "$1" && age -d -i "$1"', key, world.path('theirs')], cipher).length,
    ).toBe(authority?.length);
  });
});
