// A backup is of a time when the stolen device was still a good one. Restored, it must not let that device in again: revocations
// of since then are merged, or the operator says in so many words that nobody knows them. Real processes, on loopback.

import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { World } from '../backup/world.ts';

// Each test starts several programs, one after the other.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 180_000 });

const world = new World();
const LATER = 'MOT-0441';
let ticket: Buffer;
let token = '';

/** What a TLS session of the device with a broker is resumed by, or whether one was. */
function handshake(data: string, name: string, session?: Buffer): Promise<{ ticket: Buffer; resumed: boolean }> {
  return new Promise((resolve, reject) => {
    const options = session === undefined ? {} : { session };
    const socket = connectTls({ host: '127.0.0.1', port: world.port(data), ...world.pairOf(name), ...options });
    socket.once('error', reject);
    const done = (fresh: Buffer): void => {
      resolve({ ticket: fresh, resumed: socket.isSessionReused() });
      socket.destroy();
    };
    socket.once('session', done);
    // One that is resumed may bring no new ticket.
    socket.once('secureConnect', () => socket.isSessionReused() && done(session ?? Buffer.alloc(0)));
  });
}

const restore = (...options: string[]) => world.run('new', 'restore', 'backup', '--identity', 'key', ...options);
const sessions = async (data: string): Promise<string[]> => {
  const { clients } = JSON.parse(await world.mustRun(data, 'who', '--json')) as { clients: { clientId: string }[] };
  return clients.map(({ clientId }) => clientId).sort();
};

beforeAll(async () => {
  await world.makeKeys();
  await world.start('stranger', { fresh: true });
  await world.mustRun('stranger', 'ca', 'crl', '--out', world.path('stranger.crl'));
  await world.stop('stranger');
  await world.start('old', { fresh: true });
  for (const name of ['pump-0', 'pump-1', 'pump-2', 'pump-3']) await world.mustRun('old', 'device', 'add', name);
  await world.mustRun('old', 'device', 'add', 'board', '--psk');
  for (const name of ['ada', 'bob'])
    await world.mustRun('old', 'user', 'add', name, '--password-file', world.path('passphrase'));
  await world.mustRun('old', 'ca', 'crl', '--out', world.path('early.crl'));
  // The data directory as it was then, as far as it is asked.
  for (const file of ['pki/issued.jsonl', 'pki/revoked.jsonl', 'store/registry.json'])
    cpSync(world.path('old', file), world.path('early', file));
  await world.mustRun('old', 'device', 'revoke', 'pump-0');
  for (const name of ['pump-1', 'pump-2', 'pump-3']) await (await world.connect('old', name)).disconnect();
  token = await world.mustRun('old', 'device', 'add', 'pump-9', '--token', '--json');
  for (const issuer of ['plant', 'former'])
    await world.mustRun('old', 'token', 'add', issuer, '--audience', 'motte', '--jwks', 'https://127.0.0.1:1/keys');
  await world.mustRun('old', 'token', 'revoke', 'plant', '--id', 'early');
  await world.mustRun('old', 'backup', 'backup', '--recipient', world.recipient);
  // And then:
  await world.mustRun('old', 'device', 'revoke', 'pump-1', '--reason', 'keyCompromise');
  await world.mustRun('old', 'device', 'remove', 'pump-2');
  await world.mustRun('old', 'device', 'revoke', 'board');
  await world.mustRun('old', 'user', 'remove', 'ada');
  await world.mustRun('old', 'token', 'revoke', 'plant', '--id', 'late');
  await world.mustRun('old', 'token', 'revoke', 'former', '--all');
  await world.mustRun('old', 'device', 'add', 'newer');
  await world.mustRun('old', 'device', 'revoke', 'newer');
  await world.mustRun('old', 'ca', 'crl', '--out', world.path('late.crl'));
  ({ ticket } = await handshake('old', 'pump-3'));
  await world.stop('old');
});
afterAll(() => world.end());
afterEach(async () => {
  await world.stop('new');
  rmSync(world.path('new'), { recursive: true, force: true });
});

describe('a restore', () => {
  it('is refused where nobody says what was revoked since, and nothing is made', async () => {
    const { exit, out, err } = await restore();
    expect({ exit, out }).toEqual({ exit: 4, out: '' });
    const lines = [expect.stringMatching(/^motte: a restore goes back in time: .*\(MOT-0810\)$/)];
    expect(err.split('\n')).toEqual([...lines, expect.stringContaining('--accept-lost-revocations'), '']);
    expect(readdirSync(world.folder).filter((name) => name.startsWith('new'))).toEqual(['newer']);
  });

  it('by the old data directory leaves everybody out who was taken away, and their sessions', async () => {
    const { exit, out, err } = await restore('--revocations', world.path('old'), '--json');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({
      revocations: {
        merged: 3,
        tokens: 1,
        removed: ['pump-2', 'ada@password', 'issuer former'],
        disabled: ['pump-1', 'board@psk'],
      },
    });
    await world.start('new');
    for (const name of ['pump-0', 'pump-1', 'pump-2', 'newer'])
      await expect(world.connect('new', name), name).rejects.toMatchObject({ reason: 'not-authorized' });
    expect((await world.run('new', 'why', 'pump-1')).out).toContain('was revoked');
    const good = await world.connect('new', 'pump-3');
    expect(good.connack.sessionPresent).toBe(true);
    expect(await sessions('new')).toEqual(['pump-3']);
    await good.disconnect();
    const { devices } = JSON.parse(await world.mustRun('new', 'device', 'list', '--json')) as {
      devices: { name: string; state: string }[];
    };
    expect(Object.fromEntries(devices.map(({ name, state }) => [name, state]))).toEqual({
      ...{ 'pump-0': 'disabled', 'pump-1': 'disabled', 'pump-3': 'active', board: 'disabled' },
    });
    expect(await world.mustRun('new', 'user', 'list')).not.toContain('ada');
    const { issuers, revocations } = JSON.parse(await world.mustRun('new', 'token', 'list', '--json')) as {
      issuers: { issuer: string }[];
      revocations: { id: string }[];
    };
    expect(issuers.map(({ issuer }) => issuer)).toEqual(['plant']);
    expect(revocations.map(({ id }) => id)).toEqual(['early', 'late']);
    // What is issued under the names anew is another certificate; the old ones stay revoked.
    await world.mustRun('new', 'device', 'add', 'newer', '--out', world.path('newer-again'));
    await expect(world.connect('new', 'newer')).rejects.toMatchObject({ reason: 'not-authorized' });
  });

  it.each([['old/pki/revoked.jsonl'], ['late.crl']])('by %s alone the certificates stay revoked', async (source) => {
    const { exit, out, err } = await restore('--revocations', world.path(source));
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(out).toContain('3 later revocations merged; disabled: pump-1, pump-2');
    await world.start('new');
    for (const name of ['pump-1', 'pump-2', 'newer'])
      await expect(world.connect('new', name), name).rejects.toMatchObject({ reason: 'not-authorized' });
    await (await world.connect('new', 'pump-3')).disconnect();
    expect(await sessions('new')).toEqual(['pump-3']);
    const again = await world.mustRun('new', 'ca', 'show', '--json');
    expect(again).toContain('"devices"');
  });

  it.each([
    ['early.crl', 'and the backup is newer|lacks 1'],
    ['stranger.crl', 'is not signed by the CA in the backup'],
    ['early', 'lacks 1 of the revocations in the backup'],
    ['stranger', 'registry.json is missing'],
    ['stranger/pki/revoked.jsonl', 'lacks 1 of the revocations in the backup'],
    ['nowhere', 'cannot be read \\(ENOENT\\)'],
    ['key', 'not JSON'],
  ])('by %s is refused: it says nothing of later', async (source, why) => {
    const { exit, out, err } = await restore('--revocations', world.path(source));
    expect({ exit, out }).toEqual({ exit: 4, out: '' });
    expect(err).toMatch(new RegExp(`(${why})`));
    if (source !== 'key') expect(err).toContain(LATER);
    expect(existsSync(world.path('new'))).toBe(false);
    expect(existsSync(world.path('new.restoring'))).toBe(false);
  });

  it('in the knowledge that they are lost lets them in again, and says so', async () => {
    const { exit, err } = await restore('--accept-lost-revocations');
    expect({ exit, err }).toEqual({
      exit: 0,
      err: expect.stringMatching(/^motte: note: nobody knows what was revoked/),
    });
    await world.start('new');
    await (await world.connect('new', 'pump-1')).disconnect();
    await expect(world.connect('new', 'pump-0')).rejects.toMatchObject({ reason: 'not-authorized' });
    await world.mustRun('new', 'device', 'revoke', 'pump-1');
    await expect(world.connect('new', 'pump-1')).rejects.toMatchObject({ reason: 'not-authorized' });
  });

  it('voids the enrolment tokens and the TLS tickets of the old broker', async () => {
    expect((await restore('--revocations', world.path('old'))).exit).toBe(0);
    await world.start('new');
    expect(token).toContain('pump-9');
    const { tokens, requests } = JSON.parse(await world.mustRun('new', 'device', 'requests', '--json')) as {
      tokens: unknown[];
      requests: unknown[];
    };
    expect([tokens, requests]).toEqual([[], []]);
    expect((await handshake('new', 'pump-3', ticket)).resumed).toBe(false);
    const fresh = (await handshake('new', 'pump-3')).ticket;
    expect((await handshake('new', 'pump-3', fresh)).resumed).toBe(true);
  });
});
