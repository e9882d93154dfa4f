import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { createTestAuthority } from '../../../../test/fixtures/certificates.ts';
import { type TestListener, untilClosed } from '../../../../test/fixtures/test-listener.ts';
import { CONNACK, CONNECT, openWebSocketListener } from '../../../../test/fixtures/web-socket.ts';

function client(
  listener: TestListener,
  options: ClientOptions = {},
  { path = '/mqtt', protocols = ['mqtt'] } = {},
): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${listener.port}${path}`, protocols, options);
  socket.on('error', () => undefined);
  return socket;
}

/** The status of a refused upgrade. */
async function status(socket: WebSocket): Promise<number> {
  const [, response] = await once(socket, 'unexpected-response');
  return (response as { statusCode: number }).statusCode;
}

async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close');
  return code as number;
}

/** Everything the stream brings until it ends. */
async function readAll(listener: TestListener): Promise<Buffer> {
  const { stream } = await listener.connection();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

/** Leaves the stream alone until the test reads it. */
const untouched = { onConnection: () => undefined };

describe('the upgrade', () => {
  it.each([
    ['[MQTT-6.0.0-3] [MQTT-6.0.0-4] takes the subprotocol', 'mqtt'],
    ['for clients of MQTT 3.1 takes the subprotocol', 'mqttv3.1'],
  ])('%s %s and answers with it', async (_rules, name) => {
    const listener = await openWebSocketListener();
    const socket = client(listener, {}, { protocols: [name] });
    await once(socket, 'open');
    expect(socket.protocol).toBe(name);
    expect((await listener.connection()).facts).toMatchObject({ address: '127.0.0.1', listener: { scheme: 'ws' } });
    expect(socket.extensions).toBe('');
    socket.close();
    expect(await closeCode(socket)).toBe(1005);
    await listener.empty();
  });

  it.each([[['chat']], [[]]])('[MQTT-6.0.0-3] refuses the subprotocols %j with 400', async (protocols) => {
    const listener = await openWebSocketListener();
    expect(await status(client(listener, {}, { protocols }))).toBe(400);
    expect(await listener.refusal()).toMatchObject({
      layer: 'transport',
      rule: 'MQTT-6.0.0-3',
      seen: 'HTTP status 400',
    });
    await listener.empty();
    expect(listener.accepted).toHaveLength(0);
  });

  it('refuses a browser whose origin is not listed, and takes one that is', async () => {
    const listener = await openWebSocketListener({ config: { origins: ['https://panel.example'] } });
    expect(await status(client(listener, { origin: 'https://evil.example' }))).toBe(403);
    expect(await listener.refusal()).toMatchObject({
      reason: 'not-authorized',
      because: 'the origin https://evil.example is not listed',
      rule: 'listeners.origins',
    });
    expect(await status(client(listener, { origin: 'null' }))).toBe(403);
    const good = client(listener, { origin: 'https://panel.example' });
    await once(good, 'open');
    good.terminate();
  });

  it('answers another path with 404, a request that is no upgrade with 426', async () => {
    const listener = await openWebSocketListener();
    expect(await status(client(listener, {}, { path: '/other' }))).toBe(404);
    const answers = await Promise.all(['/mqtt', '/', '/mqtt?x=1'].map((path) => get(listener, path)));
    expect(answers).toEqual([426, 404, 426]);
    await listener.empty();
    expect(listener.refusals).toHaveLength(4);
  });

  it('takes a query behind the path', async () => {
    const listener = await openWebSocketListener();
    const socket = client(listener, {}, { path: '/mqtt?token=1' });
    await once(socket, 'open');
    socket.terminate();
  });

  it.each([
    ['plain MQTT', CONNECT, 'a plain MQTT CONNECT'],
    ['a TLS ClientHello', Buffer.from('1603010200010001fc0303', 'hex'), 'a TLS ClientHello'],
    [
      'headers that are too long',
      Buffer.from(`GET /mqtt HTTP/1.1\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`),
      'HPE_HEADER_OVERFLOW',
    ],
  ])('explains %s', async (_what, bytes, because) => {
    const listener = await openWebSocketListener();
    const socket = await listener.tcp();
    socket.write(bytes);
    await untilClosed(socket);
    expect(await listener.refusal()).toMatchObject({ layer: 'transport', because: expect.stringContaining(because) });
    await listener.empty();
  });

  it('ends one that does not come before the deadline', async () => {
    const listener = await openWebSocketListener({ limits: { handshakeDeadlineMs: 60 } });
    const socket = await listener.tcp();
    socket.write('GET /mqtt HTTP/1.1\r\nHost: x\r\n');
    await untilClosed(socket);
    expect(await listener.refusal()).toMatchObject({ because: 'the WebSocket upgrade took longer than 60 ms' });
    await listener.empty();
    expect(listener.admission.handshakes).toBe(0);
  });
});

describe('the stream', () => {
  it('[MQTT-6.0.0-2] takes packets cut anywhere into messages, and several in one', async () => {
    const listener = await openWebSocketListener(untouched);
    const socket = client(listener);
    await once(socket, 'open');
    const bytes = Buffer.concat([CONNECT, Buffer.from('c000c000', 'hex')]);
    for (const [from, to] of [
      [0, 1],
      [1, 1],
      [1, 9],
      [9, bytes.length],
    ] as const)
      socket.send(bytes.subarray(from, to));
    socket.close();
    expect(await readAll(listener)).toEqual(bytes);
  });

  it('[MQTT-6.0.0-1] ends with 1003 on a text frame, and says so', async () => {
    const listener = await openWebSocketListener();
    const socket = client(listener);
    await once(socket, 'open');
    socket.send('text');
    expect(await closeCode(socket)).toBe(1003);
    expect(await listener.refusal()).toMatchObject({
      reason: 'protocol-error',
      because: 'it sent a WebSocket text frame',
    });
    await listener.empty();
  });

  it('ends with 1009 on a message larger than a packet may be', async () => {
    const listener = await openWebSocketListener({ limits: { packetBytesMax: 1_000 } });
    const socket = client(listener);
    await once(socket, 'open');
    socket.send(Buffer.alloc(1_001));
    expect(await closeCode(socket)).toBe(1009);
    expect((await listener.refusal()).because).toContain('Max payload size exceeded');
    await listener.empty();
  });

  it('is ended by the broker with a close frame behind everything written', async () => {
    const listener = await openWebSocketListener();
    const socket = client(listener);
    const { stream } = await listener.connection();
    const got: Buffer[] = [];
    socket.on('message', (data) => got.push(data as Buffer));
    stream.write('one');
    stream.end('two');
    expect(await closeCode(socket)).toBe(1000);
    expect(Buffer.concat(got).toString()).toBe('onetwo');
    await listener.empty();
    expect(stream.destroyed).toBe(true);
  });

  it('holds the peer back while nobody reads, and loses nothing', async () => {
    const listener = await openWebSocketListener(untouched);
    const socket = client(listener);
    const { stream } = await listener.connection();
    if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
    stream.write(CONNACK);
    const block = Buffer.alloc(65_536, 7);
    const blocks = 256;
    for (let n = 0; n < blocks; n++) socket.send(block);
    // As much as the kernel and one buffer take, then no more.
    let before = -1;
    while (socket.bufferedAmount !== before) {
      before = socket.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(before).toBeGreaterThan(0);
    expect(stream.readableLength).toBeLessThan(block.length * 4);
    socket.close();
    expect((await readAll(listener)).length).toBe(block.length * blocks);
  });

  it('holds the writer back while the peer does not read', async () => {
    const listener = await openWebSocketListener();
    const socket = client(listener);
    await once(socket, 'open');
    socket.pause();
    const { stream } = await listener.connection();
    const block = Buffer.alloc(65_536, 7);
    let written = 0;
    for (let n = 0; n < 512; n++) stream.write(block, () => written++);
    expect(stream.writableNeedDrain).toBe(true);
    let bytes = 0;
    socket.on('message', (data) => {
      bytes += (data as Buffer).length;
    });
    socket.resume();
    await once(stream, 'drain');
    expect(written).toBe(512);
    stream.end();
    await closeCode(socket);
    expect(bytes).toBe(512 * block.length);
  });

  it('is cut off when destroyed, and notices when the peer is', async () => {
    const listener = await openWebSocketListener();
    const first = client(listener);
    (await listener.connection()).stream.destroy();
    expect(await closeCode(first)).toBe(1006);
    const second = client(listener);
    const { stream } = await listener.connection(1);
    const ended = once(stream, 'end');
    second.terminate();
    await ended;
    await listener.empty();
  });
});

describe('over TLS', () => {
  it('comes through with the facts of the certificate, and refuses one without', async () => {
    const authority = createTestAuthority('Plant');
    const material = { ...authority.server(), clientCa: authority.ca };
    const listener = await openWebSocketListener({
      material,
      config: { scheme: 'wss', url: 'wss://127.0.0.1:0/mqtt', authentication: 'certificate' },
      ...untouched,
    });
    const url = `wss://127.0.0.1:${listener.port}/mqtt`;
    const socket = new WebSocket(url, 'mqtt', { ca: authority.ca, ...authority.issue('pump-1') });
    await once(socket, 'open');
    socket.send(CONNECT);
    const { facts, stream } = await listener.connection();
    const [chunk] = await once(stream, 'data');
    expect(chunk).toEqual(CONNECT);
    expect(facts.tls).toMatchObject({ protocol: 'TLSv1.3', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) });
    socket.close();
    await closeCode(socket);
    const without = new WebSocket(url, 'mqtt', { ca: authority.ca });
    await once(without, 'error');
    expect(await listener.refusal()).toMatchObject({ because: expect.stringContaining('no certificate') });
    await listener.empty();
  });
});

describe('many connections', () => {
  it('leave nothing behind, 200 of them', async () => {
    const listener = await openWebSocketListener();
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          if (n % 4 === 0) return await get(listener, '/');
          const socket = client(listener, {}, { protocols: n % 4 === 1 ? [] : ['mqtt'] });
          if (n % 4 === 1) return await status(socket);
          await once(socket, 'open');
          if (n % 4 === 2) socket.terminate();
          else socket.close();
          return await closeCode(socket);
        }),
      );
    }
    await listener.empty();
    expect([listener.admission.handshakes, listener.admission.sources]).toEqual([0, 0]);
    expect(listener.accepted).toHaveLength(100);
  });
});

/** The status of a plain request. */
function get(listener: TestListener, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: listener.port, path, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    asked.once('error', reject);
    asked.end();
  });
}

describe('a request with a body', () => {
  it('is answered without reading it', async () => {
    const listener = await openWebSocketListener();
    const socket = connect(listener.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('POST /mqtt HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nxxx');
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 426 /);
    await listener.empty();
  });
});
