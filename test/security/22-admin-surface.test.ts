// Admin surface (class of CVE-2026-44725 and its kin): whoever reaches one of its doors, broken or slow, leaves it open for
// the others, and a system that has nothing left ends nobody's broker.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { get as getOverTls } from 'node:https';
import { connect, Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Served, serveConsole, serveSocket } from '../../packages/broker/src/api/serve.ts';
import type { AdminView } from '../../packages/broker/src/ports/admin-view.ts';
import { createTestAuthority } from '../fixtures/certificates.ts';

/** As many as the API takes at once. */
const CONNECTIONS_MAX = 100;
const GARBAGE = '\0garbage\r\n\r\n';
/** Only health is asked for here. */
const VIEW = { listeners: [], findings: () => [] } as unknown as AdminView;

type Door = 'the socket' | 'the console, no TLS' | 'the console';

const servers: Server[] = [];
const peers: Socket[] = [];
let folder: string;
let socket: Served;
let webConsole: Served;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'motte-surface-'));
  const listen = vi.spyOn(Server.prototype, 'listen');
  socket = await serveSocket(VIEW, join(folder, 'admin.sock'));
  webConsole = await serveConsole(VIEW, {
    hosts: ['127.0.0.1'],
    port: 0,
    tls: createTestAuthority('Plant').server(),
  });
  servers.push(...(listen.mock.contexts as Server[]));
  listen.mockRestore();
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.destroy();
  servers.length = 0;
  await socket.close();
  await webConsole.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A peer that sends garbage, takes the answer and never closes its own half. */
function stubborn(door: Door): Promise<void> {
  const where = { port: webConsole.port, host: '127.0.0.1', allowHalfOpen: true };
  const peer =
    door === 'the socket'
      ? connect({ path: join(folder, 'admin.sock'), allowHalfOpen: true })
      : door === 'the console'
        ? connectTls({ ...where, rejectUnauthorized: false })
        : connect(where);
  peers.push(peer);
  peer.once(door === 'the console' ? 'secureConnect' : 'connect', () => peer.write(GARBAGE));
  peer.on('error', () => undefined).resume();
  return new Promise((resolve) => peer.once('end', resolve).once('close', resolve));
}

function health(door: Door): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing =
      door === 'the socket'
        ? get({ socketPath: join(folder, 'admin.sock'), path: '/healthz', agent: false })
        : getOverTls({
            host: '127.0.0.1',
            port: webConsole.port,
            path: '/healthz',
            agent: false,
            rejectUnauthorized: false,
          });
    outgoing.on('error', reject).on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
}

describe('the doors of the admin API', () => {
  it.each<Door>(['the socket', 'the console, no TLS', 'the console'])(
    'garbage from peers that never close does not shut %s',
    async (door) => {
      await Promise.all(Array.from({ length: CONNECTIONS_MAX }, () => stubborn(door)));
      await vi.waitFor(async () => expect(await health(door)).toBe(200));
    },
  );

  it('closing waits for nobody who is silent', async () => {
    const where = { port: webConsole.port, host: '127.0.0.1', allowHalfOpen: true };
    const silent = [connect(where), connect({ path: join(folder, 'admin.sock'), allowHalfOpen: true })];
    peers.push(...silent.map((peer) => peer.on('error', () => undefined)));
    await Promise.all(silent.map((peer) => once(peer, 'connect')));
    await Promise.all([stubborn('the socket'), stubborn('the console')]);
    const startedMs = performance.now();
    await Promise.all([socket.close(), webConsole.close()]);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('an accept that fails is no end of the process', async () => {
    expect(servers).toHaveLength(2);
    const noFiles = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
    // Nobody listening would make `emit` throw, out of the event loop in earnest.
    for (const server of servers) for (let n = 0; n < 2; n++) server.emit('error', noFiles);
    expect(await health('the socket')).toBe(200);
    expect(await health('the console')).toBe(200);
  });
});
