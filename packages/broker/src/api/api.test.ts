import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MotteError, openAdmin } from '@motte/admin';
import { type BackupPiece, BackupReader } from '@motte/admin/backup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdminView, BackupSource, ClientRow } from '../ports/admin-view.ts';
import { Counters } from '../ports/counters.ts';
import type { RegisteredIdentity } from '../ports/directory.ts';
import { type Served, serveConsole, serveSocket } from './serve.ts';

const data = mkdtempSync(join(tmpdir(), 'motte-api-'));
const socketPath = join(data, 'run', 'admin.sock');
const identities = new Map<string, RegisteredIdentity>();

const FINGERPRINT = 'ab'.repeat(32);

const row: ClientRow = {
  connection: 3,
  state: 'connected',
  clientId: 'pump-1/\u001b<script>',
  identity: 'pump-1',
  roles: ['device'],
  listener: 'devices',
  address: '127.0.0.1',
  port: 40_000,
  version: 5,
  keepAlive: 60,
  sessionExpiry: 0,
  sinceMs: 1_000,
  tlsGroups: 'X25519',
  tlsResumed: false,
  certificateDaysLeft: 700,
  weakness: '',
  tls: 'TLSv1.3',
  subscriptions: 1,
  queuedMessages: 0,
  inFlight: 0,
  unsentBytes: 0,
};

/** Users, tokens and policies have tests of their own. */
const notHere = () => Promise.reject(new Error('not here'));
const notThere = () => {
  throw new Error('not here');
};
const LOST = { connections: 2, sessions: 1, queuedMessages: 3, wills: 1 };

const ENDS_MS = Date.UTC(2099, 0, 1);

const view: AdminView = {
  version: '0.1.0',
  pid: 1,
  phase: 'serving',
  startedAtMs: 0,
  configNumber: 1,
  counters: new Counters(),
  listeners: [
    { name: 'devices', url: 'mqtts://0.0.0.0:8883', authentication: 'certificate', state: 'open', connections: 1 },
  ],
  clients: () => [row],
  kick: ({ clientId, connection }) => (clientId === row.clientId || connection === 3 ? 1 : 0),
  endConnections: () => 0,
  findings: () => [],
  ending: () => [{ kind: 'server', name: 'CN=gate', isOwn: true, notAfterMs: ENDS_MS, id: '' }],
  authority: () => ({ fingerprint: FINGERPRINT, trusted: [FINGERPRINT], separated: false }),
  refusals: (query) => {
    if (query === 'boom') throw new Error('secret inside');
    return [];
  },
  directory: {
    find: (_realm, name) => identities.get(name),
    list: () => [...identities.values()],
    put: async () => {},
    remove: async () => false,
  },
  addDevice: async ({ name, roles }) => {
    identities.set(name, { realm: 'ca:motte', name, kind: 'device', roles, state: 'active', addedAtMs: 0 });
  },
  access: { check: notThere, who: notThere },
  learning: { begin: notThere, end: notThere },
  policies: { version: 0, list: () => [], read: notThere, check: notThere, apply: notHere },
  users: { list: () => [], add: notHere, setPassword: notHere, remove: notHere },
  tokens: {
    issuers: () => [],
    revocations: () => [],
    add: notHere,
    remove: notHere,
    revoke: notHere,
    lift: notHere,
  },
  changeDevice: async ({ name }, state) => {
    const known = identities.get(name);
    if (known !== undefined) identities.set(name, { ...known, state });
    return state === 'disabled' ? LOST : { ...LOST, connections: 0 };
  },
  removeDevice: async ({ name }) => {
    identities.delete(name);
    return LOST;
  },
  config: () => ({ listeners: [] }),
  openBackup: () => openBackup(),
};

/** What the next backup is made of; each test says it. */
let openBackup: AdminView['openBackup'] = () => {
  throw new MotteError('MOT-0801', 'store.kind is memory');
};

let socket: Served;
let webConsole: Served;
beforeAll(async () => {
  mkdirSync(join(data, 'run'));
  socket = await serveSocket(view, socketPath);
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
      ...['-subj', '/CN=localhost', '-keyout', join(data, 'key.pem'), '-out', join(data, 'cert.pem')],
    ],
    { stdio: 'ignore' },
  );
  const tls = { cert: readFileSync(join(data, 'cert.pem'), 'utf8'), key: readFileSync(join(data, 'key.pem'), 'utf8') };
  webConsole = await serveConsole(view, { hosts: ['127.0.0.1', '::1'], port: 0, tls });
});
afterAll(async () => {
  await socket.close();
  await webConsole.close();
  rmSync(data, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

function ask(to: 'socket' | 'console', method: string, path: string, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      method,
      path,
      agent: false,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
    };
    const outgoing =
      to === 'socket'
        ? httpRequest({ ...options, socketPath })
        : httpsRequest({ ...options, host: '127.0.0.1', port: webConsole.port, rejectUnauthorized: false });
    outgoing.on('error', reject).on('response', (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk) => chunks.push(chunk))
        .on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          });
        });
    });
    outgoing.end(body);
  });
}

describe('a backup over the socket', () => {
  const ID = '0123456789abcdef0123456789abcdef';
  /** A source of so many pages, which notes that it was closed. */
  function source(pages: number, fault?: Error): BackupSource & { readonly closed: Promise<void> } {
    let left = pages;
    let close = (): void => undefined;
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    const record = [Buffer.alloc(100, 1), Buffer.alloc(60_000, 2)] as const;
    return {
      storeFormat: 1,
      files: [{ name: 'registry.json', content: Buffer.from('{}') }],
      closed,
      records: {
        next: async () => {
          if (left === 0 && fault !== undefined) throw fault;
          return left-- > 0 ? [record, record] : [];
        },
        close: async () => close(),
      },
    };
  }

  async function read(chunks: AsyncIterable<Uint8Array>): Promise<BackupPiece[]> {
    const reader = new BackupReader();
    const pieces: BackupPiece[] = [];
    for await (const chunk of chunks) pieces.push(...reader.push(chunk));
    reader.finish();
    return pieces;
  }

  it('streams files and records, and closes them', async () => {
    const given = source(50);
    openBackup = () => given;
    const pieces = await read(await openAdmin(data).backup(ID));
    expect(pieces[0]).toMatchObject({ manifest: { id: ID, motte: '0.1.0', ca: FINGERPRINT, store: 1 } });
    expect(pieces.at(-1)).toMatchObject({ end: { files: 1, records: 100, bytes: 100 * 60_100 } });
    await given.closed;
  });

  it('one at a time; who leaves early ends his own', async () => {
    const given = source(10_000);
    openBackup = () => given;
    const admin = openAdmin(data);
    const first = await admin.backup(ID);
    await expect(admin.backup(ID)).rejects.toMatchObject({ code: 'MOT-0802', exit: 1 });
    for await (const _ of first) break;
    await given.closed;
    openBackup = () => source(1);
    await read(await admin.backup(ID));
  });

  it('a source that fails is no whole stream, and the next one is served', async () => {
    openBackup = () => source(3, new Error('the disk is gone'));
    await expect(read(await openAdmin(data).backup(ID))).rejects.toMatchObject({ code: 'MOT-0503' });
    openBackup = () => source(1);
    await read(await openAdmin(data).backup(ID));
  });

  it('where nothing is stored it says so', async () => {
    openBackup = () => {
      throw new MotteError('MOT-0801', 'store.kind is memory');
    };
    await expect(openAdmin(data).backup(ID)).rejects.toMatchObject({
      code: 'MOT-0801',
      why: 'store.kind is memory',
      exit: 4,
    });
  });

  it('is asked for with an id, behind the socket only, and by GET alone', async () => {
    let asked = 0;
    openBackup = () => {
      asked += 1;
      return source(0);
    };
    const path = `/api/v1/backup?id=${ID}`;
    expect((await ask('socket', 'GET', '/api/v1/backup')).status).toBe(400);
    expect((await ask('socket', 'GET', '/api/v1/backup?id=../../x')).status).toBe(400);
    expect((await ask('socket', 'HEAD', path)).status).toBe(404);
    expect((await ask('console', 'GET', path)).status).toBe(401);
    expect(asked).toBe(0);
  });
});

describe('the admin API on the Unix socket', () => {
  it('is 0600 and answers the client of @motte/admin', async () => {
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    const admin = openAdmin(data);
    expect(await admin.status()).toMatchObject({
      format: 1,
      healthy: true,
      phase: 'serving',
      caFingerprint: FINGERPRINT,
    });
    expect((await admin.clients()).clients[0]).toMatchObject({
      clientId: row.clientId,
      since: '1970-01-01T00:00:01.000Z',
    });
    expect(await admin.kick({ clientId: row.clientId })).toEqual({ format: 1, ended: 1 });
    expect(await admin.kick({ connection: 3 })).toEqual({ format: 1, ended: 1 });
    expect(await admin.config()).toEqual({ format: 1, number: 1, config: { listeners: [] } });
    expect(await admin.refusals('last')).toEqual({ format: 1, refusals: [] });
  });

  it('registers a device once', async () => {
    const admin = openAdmin(data);
    const { device } = await admin.addDevice({ name: 'pump-1', roles: ['device'] });
    expect(device).toMatchObject({ name: 'pump-1', connections: 1, state: 'active' });
    await expect(admin.addDevice({ name: 'pump-1', roles: [] })).rejects.toMatchObject({ code: 'MOT-0602', exit: 1 });
    expect((await admin.devices()).devices.map(({ name }) => name)).toEqual(['pump-1']);
    await expect(admin.device('nobody')).rejects.toMatchObject({ code: 'MOT-0603' });
    await expect(admin.kick({ identity: 'nobody' })).rejects.toMatchObject({ code: 'MOT-0701' });
  });

  it('without a broker the client says so, exit 3', async () => {
    await expect(openAdmin('/nonexistent').status()).rejects.toMatchObject({ code: 'MOT-0501', exit: 3 });
  });

  it.each([
    ['PATCH', '/api/v1/devices/pump-1?ca=motte', '{"state":"disabled","revocation":0}', 400],
    ['DELETE', '/api/v1/devices/pump-1?revocation=0&ca=a%20b', '', 400],
    ['POST', '/api/v1/devices', '{', 400],
    ['POST', '/api/v1/devices', '[]', 400],
    ['POST', '/api/v1/devices', '{"name":"x"}', 400],
    ['POST', '/api/v1/devices', '{"name":"../x","roles":[]}', 400],
    ['POST', '/api/v1/devices', '{"name":"a b","roles":[]}', 400],
    ['POST', '/api/v1/devices', '{"name":5,"roles":[]}', 400],
    ['POST', '/api/v1/devices', '{"name":"x","roles":"device"}', 400],
    ['POST', '/api/v1/devices', '{"name":"x","roles":[],"state":"active"}', 400],
    ['POST', '/api/v1/devices', '{"__proto__":{"name":"x"},"roles":[]}', 400],
    ['POST', '/api/v1/devices', '{"constructor":{"prototype":{}},"name":"x","roles":[]}', 400],
    ['POST', '/api/v1/devices', `{"name":"x","roles":[],"pad":"${'x'.repeat(300_000)}"}`, 413],
    ['GET', '/api/v1/devices/..%2f..%2fetc', undefined, 400],
    ['GET', '/api/v1/devices/__proto__', undefined, 400],
    ['GET', '/api/v1/devices/%ff', undefined, 400],
    ['GET', '/api/v1/refusals?max=99999', undefined, 400],
    ['GET', '/api/v1/refusals?max=-1', undefined, 400],
    ['GET', '/api/v1/refusals?query=a&query=b', undefined, 400],
    ['GET', '/api/v1/refusals?unknown=1', undefined, 400],
    ['DELETE', '/api/v1/clients', undefined, 400],
    ['DELETE', '/api/v1/clients?clientId=a&connection=1', undefined, 400],
    ['DELETE', '/api/v1/clients?connection=1e3', undefined, 400],
    ['GET', '/api/v2/status', undefined, 404],
    ['PUT', '/api/v1/status', undefined, 404],
  ])('refuses %s %s with a problem document', async (method, path, body, status) => {
    const answer = await ask('socket', method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(JSON.parse(answer.text)).toMatchObject({ status, code: expect.stringMatching(/^MOT-\d{4}$/) });
    expect(identities.has('x')).toBe(false);
  });

  it('a fault of ours is 500 and says nothing of its inside', async () => {
    const answer = await ask('socket', 'GET', '/api/v1/refusals?query=boom');
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text).code).toBe('MOT-0508');
    expect(answer.text).not.toContain('secret');
  });

  it('survives bytes that are not HTTP', async () => {
    for (const bytes of ['\0\0\0\0\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `GET /${'x'.repeat(40_000)} HTTP/1.1\r\n\r\n`]) {
      await new Promise<void>((resolve) => {
        const raw = connect(socketPath, () => raw.write(bytes));
        raw
          .on('error', () => {})
          .on('close', () => resolve())
          .resume();
      });
    }
    expect((await ask('socket', 'GET', '/healthz')).text).toBe('ok\n');
  });
});

describe('the console without credentials', () => {
  it('answers /healthz and /readyz with one line, on both loopback addresses alike', async () => {
    expect(await ask('console', 'GET', '/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await ask('console', 'GET', '/readyz')).toMatchObject({ status: 200, text: 'ready\n' });
  });

  it.each([
    ['GET', '/'],
    ['GET', '/api/v1/status'],
    ['GET', '/api/v1/clients'],
    ['DELETE', '/api/v1/clients?connection=3'],
    ['POST', '/api/v1/devices'],
    ['GET', '/nothing'],
    ['GET', '/healthz/..'],
    ['GET', '//healthz'],
    ['GET', '/HEALTHZ'],
    ['GET', '/healthz%2f..%2fapi/v1/status'],
  ])('%s %s is 401', async (method, path) => {
    const answer = await ask('console', method, path, method === 'POST' ? '{"name":"x","roles":[]}' : undefined);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text).code).toBe('MOT-0506');
    expect(identities.has('x')).toBe(false);
  });

  it('sends headers that keep a browser from doing anything with an answer', async () => {
    const { headers } = await ask('console', 'GET', '/');
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['server']).toBeUndefined();
  });
});
