import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestAuthority } from '../../../../test/fixtures/certificates.ts';
import {
  openTestListener,
  type TestListener,
  type TestListenerOptions,
  untilClosed,
} from '../../../../test/fixtures/test-listener.ts';
import { refuse } from '../ports/verdict.ts';

const PLAIN = { scheme: 'mqtt', url: 'mqtt://127.0.0.1:0', authentication: 'none' } as const;
const CONNECT = Buffer.from('100c00044d5154540402003c0000', 'hex');

const opened: TestListener[] = [];
const directories: string[] = [];
afterEach(async () => {
  for (const listener of opened.splice(0)) await listener.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

async function open(options: TestListenerOptions): Promise<TestListener> {
  const listener = await openTestListener(options);
  opened.push(listener);
  return listener;
}

function plain(options: TestListenerOptions = {}): Promise<TestListener> {
  return open({ ...options, config: { ...PLAIN, ...options.config } });
}

function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'motte-unix-'));
  directories.push(directory);
  return join(directory, 'mqtt.sock');
}

function unix(path: string): Promise<TestListener> {
  return open({ config: { ...PLAIN, scheme: 'mqtt+unix', url: `mqtt+unix://${path}`, path } });
}

describe('opening', () => {
  it('says the real port, also for IPv6', async () => {
    const listener = await plain({ config: { host: '[::1]', url: 'mqtt://[::1]:0' } });
    expect(listener.listener.url).toMatch(/^mqtt:\/\/\[::1\]:[1-9]\d*$/);
    expect(listener.events[0]).toMatchObject({ name: 'listener.opened', listener: 'devices' });
    const socket = connect(listener.port, '::1');
    socket.write(CONNECT);
    expect((await listener.connection()).facts.address).toBe('::1');
    socket.destroy();
  });

  it('explains a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(plain({ config: { port, url: `mqtt://127.0.0.1:${port}` } })).rejects.toMatchObject({
      code: 'MOT-0301',
      why: `listener devices (mqtt://127.0.0.1:${port}): another program listens on this port`,
    });
    other.close();
  });

  it('explains an address that this machine does not have', async () => {
    await expect(plain({ config: { host: '192.0.2.1' } })).rejects.toMatchObject({
      code: 'MOT-0301',
      why: expect.stringContaining('does not have the address'),
    });
  });

  it('explains a key that does not belong to the certificate, and a certificate that is none', async () => {
    const authority = createTestAuthority('Plant');
    const server = authority.server();
    const wrong = { cert: server.cert, key: authority.server().key, clientCa: authority.ca };
    await expect(open({ material: wrong })).rejects.toMatchObject({ code: 'MOT-0404' });
    const none = { cert: 'nothing', key: server.key, clientCa: authority.ca };
    await expect(open({ material: none })).rejects.toMatchObject({ code: 'MOT-0403' });
    await expect(open({})).rejects.toMatchObject({
      code: 'MOT-0403',
      why: expect.stringContaining('no server certificate'),
    });
  });
});

describe('Unix sockets', () => {
  it('are readable by their owner alone and vanish with the listener', async () => {
    const path = socketPath();
    const listener = await unix(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const client = connect(path);
    client.write(CONNECT);
    const { facts } = await listener.connection();
    expect(facts).toMatchObject({ address: '', port: 0, tls: undefined });
    client.destroy();
    await listener.close();
    expect(existsSync(path)).toBe(false);
  });

  it('replace one that nobody listens on', async () => {
    const path = socketPath();
    await leaveStaleSocket(path);
    const listener = await unix(path);
    const client = connect(path);
    client.write(CONNECT);
    await listener.connection();
    client.destroy();
  });

  it('leave one alone that somebody listens on, and anything that is no socket', async () => {
    const path = socketPath();
    await unix(path);
    await expect(unix(path)).rejects.toMatchObject({
      code: 'MOT-0301',
      why: expect.stringContaining('another program'),
    });
    const file = socketPath();
    writeFileSync(file, 'precious');
    await expect(unix(file)).rejects.toMatchObject({ why: expect.stringContaining('no socket') });
    expect(existsSync(file)).toBe(true);
  });

  it('explain a path that is too long or whose directory is missing', async () => {
    await expect(unix(`/tmp/${'x'.repeat(120)}`)).rejects.toMatchObject({ why: expect.stringContaining('103 bytes') });
    const path = join(socketPath(), 'below', 'mqtt.sock');
    await expect(unix(path)).rejects.toMatchObject({ code: 'MOT-0301', why: expect.stringContaining('directory') });
  });
});

describe('the way in', () => {
  it('hands on address, port and every byte, those read on the way included', async () => {
    const chunks: Buffer[] = [];
    const listener = await plain({
      onConnection: (stream) => stream.on('data', (chunk: Buffer) => chunks.push(chunk)),
    });
    const socket = await listener.tcp();
    socket.write(CONNECT.subarray(0, 3));
    const { facts, stream } = await listener.connection();
    socket.end(CONNECT.subarray(3));
    await once(stream, 'end');
    expect(Buffer.concat(chunks)).toEqual(CONNECT);
    expect(facts).toMatchObject({
      id: 1,
      address: '127.0.0.1',
      port: socket.localPort,
      listener: { name: 'devices', scheme: 'mqtt', authentication: 'none' },
    });
  });

  it.each([
    ['TLS', Buffer.from('1603010200010001fc0303', 'hex'), 'a TLS ClientHello'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n'), 'a plain HTTP request'],
  ])('explains %s on a plain listener', async (_what, bytes, because) => {
    const listener = await plain();
    const socket = await listener.tcp();
    socket.write(bytes);
    await untilClosed(socket);
    expect(await listener.refusal()).toMatchObject({ layer: 'transport', because: expect.stringContaining(because) });
    expect(listener.accepted).toHaveLength(0);
  });

  it('drops a peer that says nothing before the deadline', async () => {
    const listener = await plain({ limits: { handshakeDeadlineMs: 40 } });
    await untilClosed(await listener.tcp());
    expect(await listener.refusal()).toMatchObject({
      because: 'the first bytes took longer than 40 ms',
      rule: 'limits.handshakeDeadlineMs',
    });
    await listener.empty();
    expect(listener.admission.handshakes).toBe(0);
  });

  it('says nothing of a peer that opens and closes', async () => {
    const listener = await plain();
    const socket = await listener.tcp();
    socket.end();
    await untilClosed(socket);
    await listener.empty();
    expect(listener.refusals).toHaveLength(0);
  });
});

describe('admission', () => {
  it('refuses above the connections of the listener', async () => {
    const listener = await plain({ config: { connectionsMax: 1 } });
    const first = await listener.tcp();
    first.write(CONNECT);
    await listener.connection();
    await untilClosed(await listener.tcp());
    expect(await listener.refusal()).toMatchObject({
      layer: 'admission',
      reason: 'quota-exceeded',
      seen: 'the connection was reset',
    });
    first.destroy();
    await listener.empty();
    (await listener.tcp()).write(CONNECT);
    await listener.connection(1);
  });

  it('refuses above the connections of one source, unless it is exempt', async () => {
    const strict = await plain({ admission: { connectionsPerSourceMax: 2 } });
    for (let n = 0; n < 2; n++) {
      (await strict.tcp()).write(CONNECT);
      await strict.connection(n);
    }
    await untilClosed(await strict.tcp());
    expect(await strict.refusal()).toMatchObject({ layer: 'admission', rule: 'admission.connectionsPerSourceMax' });
    const lenient = await plain({ admission: { connectionsPerSourceMax: 2, exempt: ['127.0.0.0/8'] } });
    for (let n = 0; n < 5; n++) {
      (await lenient.tcp()).write(CONNECT);
      await lenient.connection(n);
    }
  });

  it('refuses above the handshakes at once, and counts them down when they are over', async () => {
    const listener = await plain({ admission: { handshakesAtOnceMax: 2 } });
    const first = await listener.tcp();
    await untilClosed(await listener.tcp());
    expect(await listener.refusal()).toMatchObject({ rule: 'admission.handshakesAtOnceMax' });
    first.write(CONNECT);
    await listener.connection();
    expect(listener.admission.handshakes).toBe(0);
    (await listener.tcp()).write(CONNECT);
    await listener.connection(1);
  });

  it('asks the guard before anything is read, and takes a guard that throws for a no', async () => {
    const banned = await plain({ admit: ({ address }) => refuse('banned', `${address} is banned`, 'ban 7') });
    await untilClosed(await banned.tcp());
    expect(await banned.refusal()).toMatchObject({
      layer: 'admission',
      reason: 'banned',
      because: '127.0.0.1 is banned',
      rule: 'ban 7',
    });
    const broken = await plain({
      admit: () => {
        throw new Error('no list');
      },
    });
    await untilClosed(await broken.tcp());
    expect(await broken.refusal()).toMatchObject({ layer: 'admission', because: 'the guard failed: no list' });
  });
});

describe('closing', () => {
  it('drops who was not handed on, keeps the others, and accepts nothing more', async () => {
    const listener = await plain();
    const silent = await listener.tcp();
    const talking = await listener.tcp();
    talking.write(CONNECT);
    await listener.connection();
    const { port } = listener;
    await listener.listener.close();
    await untilClosed(silent);
    expect(listener.listener.state).toBe('closed');
    expect(listener.listener.connections).toBe(1);
    const late = connect(port, '127.0.0.1');
    const [error] = await once(late, 'error');
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
    listener.listener.destroy();
    await untilClosed(talking);
  });
});

/** What a process leaves that was killed: a bound socket without a listener. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer().listen(path);
  await once(server, 'listening');
  // Closing would unlink it; a hard link keeps the name of the inode.
  const { linkSync, renameSync } = await import('node:fs');
  linkSync(path, `${path}.kept`);
  server.close();
  await once(server, 'close');
  renameSync(`${path}.kept`, path);
  chmodSync(path, 0o600);
}
