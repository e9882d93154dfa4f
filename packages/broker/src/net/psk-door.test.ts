// A listener for pre-shared keys against OpenSSL's own client: what it proves, and that a wrong key and a name that is nobody's
// look the same from outside.

import { spawn } from 'node:child_process';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestAuthority, type TestAuthority } from '../../../../test/fixtures/certificates.ts';
import {
  openTestListener,
  type TestListener,
  type TestListenerOptions,
} from '../../../../test/fixtures/test-listener.ts';
import { createPreSharedKeys } from '../identity/psk.ts';
import type { TlsMaterial } from '../ports/config.ts';
import { HandshakeTurns } from './handshake-turns.ts';

const KEY = Buffer.alloc(32, 7).toString('hex');
const WRONG = Buffer.alloc(32, 8).toString('hex');

let authority: TestAuthority;
let material: TlsMaterial;
beforeAll(() => {
  authority = createTestAuthority('Plant');
  material = { ...authority.server(), clientCa: authority.ca };
});

const opened: TestListener[] = [];
afterEach(async () => {
  for (const listener of opened.splice(0)) await listener.close();
});

async function open(options: TestListenerOptions = {}): Promise<TestListener> {
  const verifier = { kind: 'psk', key: Buffer.from(KEY, 'hex').toString('base64') } as const;
  const entry = {
    realm: 'psk',
    name: 'pump-1',
    kind: 'device',
    roles: [],
    state: 'active',
    addedAtMs: 0,
    verifier,
  } as const;
  const find = (realm: string, name: string) => (realm === 'psk' && name === 'pump-1' ? entry : undefined);
  const listener = await openTestListener({
    material,
    preSharedKeys: createPreSharedKeys({ find }),
    config: { name: 'boards', authentication: 'psk' },
    ...options,
  });
  opened.push(listener);
  return listener;
}

/** Runs `openssl s_client` until it ends or the broker has what it wants; gives all that it said. */
async function client(listener: TestListener, ...args: string[]): Promise<string> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${listener.port}`, ...args], { stdio: 'pipe' });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.stdin.on('error', () => undefined);
  const before = listener.accepted.length + listener.refusals.length;
  while (listener.accepted.length + listener.refusals.length === before) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  child.stdin.end('Q\n');
  await closed;
  return said;
}

const psk = (identity: string, key: string): string[] => ['-psk_identity', identity, '-psk', key];
/** The alert that ended it, as OpenSSL prints it. */
const alertOf = (said: string): string | undefined => /SSL alert number (\d+)/.exec(said)?.[1];

describe.each([['-tls1_2'], ['-tls1_3']])('a pre-shared key over %s', (version) => {
  it('is noted for this connection, over a suite with forward secrecy', async () => {
    const listener = await open();
    await client(listener, version, ...psk('pump-1', KEY));
    const { tls } = (await listener.connection()).facts;
    expect(tls).toMatchObject({ resumed: false, certificate: undefined, psk: { identity: 'pump-1' } });
    expect(tls?.psk?.keyId).toBeDefined();
    expect(tls?.cipher).toBe(version === '-tls1_2' ? 'ECDHE-PSK-CHACHA20-POLY1305' : 'TLS_AES_128_GCM_SHA256');
  });

  it('that is wrong ends like a name that is nobody’s, and only the operator learns which it was', async () => {
    const listener = await open();
    const wrongKey = await client(listener, version, ...psk('pump-1', WRONG));
    const nobody = await client(listener, version, ...psk('nobody', WRONG));
    expect(alertOf(wrongKey)).toBe(version === '-tls1_2' ? '20' : '47');
    expect(alertOf(nobody)).toBe(alertOf(wrongKey));
    expect(listener.accepted).toHaveLength(0);
    expect(await listener.refusal(0)).toMatchObject({
      reason: 'not-authorized',
      because: 'the client does not hold the pre-shared key of pump-1',
    });
    expect(await listener.refusal(1)).toMatchObject({
      because: 'no device nobody with a pre-shared key is registered',
      seen: (await listener.refusal(0)).seen,
    });
  });

  it('is demanded: neither nothing nor a good certificate stands in for it', async () => {
    const listener = await open();
    expect(alertOf(await client(listener, version))).toBe('40');
    expect(await listener.refusal()).toMatchObject({ because: expect.stringContaining('without a pre-shared key') });
    const socket = listener.tls({ ca: authority.ca, ...authority.issue('pump-1') });
    expect(await listener.refusal(1)).toMatchObject({ because: expect.stringContaining('without a pre-shared key') });
    socket.destroy();
  });
});

it('one that is wrong gets its alert also where the handshake waited for its turn and the answer comes at once', async () => {
  const monotonicMs = (): number => {
    // Time enough for the client to answer before anything else is done.
    const endsMs = performance.now() + 5;
    while (performance.now() < endsMs);
    return endsMs;
  };
  const handshakes = new HandshakeTurns({ nowMs: Date.now, monotonicMs });
  const listener = await open({ handshakes });
  let isDone = false;
  const takeTheTurn = (): void => {
    if (isDone) return;
    handshakes.take(() => undefined);
    setImmediate(takeTheTurn);
  };
  takeTheTurn();
  const said = await client(listener, '-tls1_2', ...psk('pump-1', WRONG));
  isDone = true;
  expect(alertOf(said)).toBe('20');
});

it.each([
  ['PSK-AES128-GCM-SHA256'],
  ['DHE-PSK-CHACHA20-POLY1305'],
  ['ECDHE-PSK-AES128-CBC-SHA256'],
  ['RSA-PSK-AES128-GCM-SHA256'],
])('a client with %s alone finds no suite', async (cipher) => {
  const listener = await open();
  const said = await client(listener, '-tls1_2', '-cipher', cipher, ...psk('pump-1', KEY));
  expect(alertOf(said)).toBe('40');
  expect(listener.accepted).toHaveLength(0);
});

it('comes with a key exchange even where the client would do without one', async () => {
  const listener = await open();
  const said = await client(listener, '-tls1_3', '-allow_no_dhe_kex', ...psk('pump-1', KEY));
  expect(said).toContain('Server Temp Key: X25519');
});

it('nothing is resumed: what the server hands out afterwards proves nobody', async () => {
  const listener = await open();
  const { mkdtempSync, rmSync } = await import('node:fs');
  const folder = mkdtempSync('/tmp/motte-psk-');
  try {
    await client(listener, '-tls1_3', '-sess_out', `${folder}/session`, ...psk('pump-1', KEY));
    expect(alertOf(await client(listener, '-tls1_3', '-sess_in', `${folder}/session`))).toBe('40');
    await client(listener, '-tls1_3', '-sess_in', `${folder}/session`, ...psk('pump-1', KEY));
    expect((await listener.connection(1)).facts.tls).toMatchObject({ resumed: false, psk: { identity: 'pump-1' } });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
