import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type ConnectionOptions, TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { derOf, selfSignedPair } from '../../../../test/fixtures/certificates.ts';
import { createPlant } from '../../../../test/fixtures/plant.ts';
import { type TestListener, untilClosed } from '../../../../test/fixtures/test-listener.ts';
import { HandshakeTurns } from './handshake-turns.ts';

const { authority, foreign, material, pump, open, connect } = createPlant();

/** Connects, writes a little, and closes after the first byte from the broker or the end of the connection. */
function client(listener: TestListener, options: ConnectionOptions = {}): TLSSocket {
  const socket = connect(listener, options);
  socket.write('x');
  return socket;
}

const VERSIONS = [['TLSv1.2'], ['TLSv1.3']] as const;

describe('a proven client', () => {
  it.each(VERSIONS)('comes through with the facts of its %s connection', async (version) => {
    const listener = await open();
    const socket = client(listener, { ...pump, maxVersion: version, servername: 'localhost' });
    const { facts, stream } = await listener.connection();
    expect(facts.tls).toMatchObject({ protocol: version, resumed: false, serverName: 'localhost' });
    expect(Buffer.from(facts.tls?.certificate ?? [])).toEqual(derOf(pump.cert));
    expect(facts.tls?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(facts.tls?.cipher).toMatch(/GCM|CHACHA/);
    expect(facts).toMatchObject({ id: 1, address: '127.0.0.1', port: socket.localPort });
    expect(listener.admission.handshakes).toBe(0);
    socket.end();
    await untilClosed(stream);
    await listener.empty();
    expect(listener.refusals).toHaveLength(0);
  });

  it('keeps the native socket below TLS: no stream of JavaScript in between', async () => {
    const listener = await open();
    const socket = client(listener, pump);
    const { stream } = await listener.connection();
    expect(stream).toBeInstanceOf(TLSSocket);
    const { _handle: handle, _parent: parent } = stream as unknown as {
      _handle: { _parentWrap: Socket; constructor: { name: string } };
      _parent: Socket;
    };
    expect(handle.constructor.name).toBe('TLSWrap');
    expect(handle._parentWrap).toBe(parent);
    expect(parent.constructor.name).toBe('Socket');
    socket.destroy();
  });

  it('may send its ClientHello byte by byte', async () => {
    const listener = await open();
    const { createConnection } = await import('node:net');
    const { Duplex } = await import('node:stream');
    const raw = createConnection(listener.port, '127.0.0.1').setNoDelay(true);
    raw.on('error', () => undefined);
    await once(raw, 'connect');
    // Every write of the client goes out one byte at a time.
    const slow = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        let at = 0;
        const next = (): void => {
          if (at === chunk.length) done();
          else raw.write(chunk.subarray(at, ++at), () => setImmediate(next));
        };
        next();
      },
    });
    raw.on('data', (chunk: Buffer) => slow.push(chunk));
    const socket = listener.tls({ socket: slow, ca: authority.ca, ...pump });
    socket.write('x');
    expect((await listener.connection()).facts.tls?.fingerprint).toBeDefined();
    socket.destroy();
    raw.destroy();
  });
});

describe('a refused client', () => {
  interface Case {
    readonly because: string;
    readonly options: () => ConnectionOptions;
    readonly reason?: string;
    readonly seen?: string;
  }
  const cases: [string, Case][] = [
    ['without a certificate', { because: 'no certificate', options: () => ({}), seen: 'alert' }],
    ['with a foreign certificate', { because: 'a foreign certificate', options: () => foreign.issue('pump-1') }],
    ['with a self-signed certificate', { because: 'self-signed', options: () => selfSignedPair('pump-1') }],
    ['with an expired certificate', { because: 'has expired', options: () => authority.issue('pump-1', { days: -1 }) }],
    [
      "with a server's certificate",
      { because: 'for another purpose', options: () => authority.issue('pump-1', { extendedKeyUsage: 'serverAuth' }) },
    ],
  ];
  it.each(cases.flatMap(([what, row]) => VERSIONS.map(([version]) => [what, version, row] as const)))(
    '%s over %s is told to the operator',
    async (_what, version, { because, options, seen = 'closed' }) => {
      const listener = await open();
      const socket = client(listener, { ...options(), maxVersion: version });
      await untilClosed(socket);
      expect(await listener.refusal()).toMatchObject({
        layer: 'transport',
        reason: 'not-authorized',
        because: expect.stringContaining(because),
        address: '127.0.0.1',
        connection: 1,
        seen: expect.stringContaining(seen),
      });
      await listener.empty();
      expect(listener.accepted).toHaveLength(0);
      expect(listener.refusals).toHaveLength(1);
      expect(listener.admission.handshakes).toBe(0);
    },
  );

  it('with TLS 1.1 only is told what is needed', async () => {
    const listener = await open();
    const options = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await untilClosed(client(listener, { ...pump, ...options }));
    expect(await listener.refusal()).toMatchObject({
      because: 'the client offers TLS 1.1 only; TLS 1.2 is the least that is taken',
      rule: 'tls.minVersion',
      seen: 'TLS alert 70, protocol version',
    });
  });

  it.each([['AES128-SHA'], ['AES128-GCM-SHA256'], ['ECDHE-ECDSA-AES128-SHA']])(
    'that offers only %s finds no cipher suite: forward secrecy and authenticated encryption are demanded',
    async (ciphers) => {
      const listener = await open();
      await untilClosed(client(listener, { ...pump, maxVersion: 'TLSv1.2', ciphers }));
      expect(await listener.refusal()).toMatchObject({ because: expect.stringContaining('no cipher suite') });
    },
  );

  it('that does not trust the server certificate is reported as such', async () => {
    const listener = await open();
    await untilClosed(client(listener, { ...pump, ca: foreign.ca }));
    expect(await listener.refusal()).toMatchObject({
      because: expect.stringContaining('does not trust the server certificate'),
    });
  });

  it('cannot renegotiate', async () => {
    const listener = await open();
    const socket = client(listener, { ...pump, maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    const error = await new Promise<Error | null>((resolve) => {
      socket.once('error', resolve);
      socket.renegotiate({}, resolve);
    });
    expect(error).toBeInstanceOf(Error);
  });
});

describe('bytes that are no ClientHello', () => {
  it.each([
    ['plain MQTT', Buffer.from('101000044d5154540402003c000470756d70', 'hex'), 'a plain MQTT CONNECT, not TLS'],
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'a plain HTTP request, not TLS'],
    ['a PROXY line', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'), 'a PROXY protocol header, not TLS'],
    ['SSL 2', Buffer.from('802e0100020015', 'hex'), 'a ClientHello of SSL 2, not TLS'],
    ['garbage', Buffer.from('00ffeedd', 'hex'), 'bytes that begin with 00ffeedd, not TLS'],
    ['a broken record', Buffer.from('1603010000', 'hex'), 'a TLS record of 0 bytes'],
  ])('%s ends before there is a TLS object', async (_what, bytes, because) => {
    const listener = await open();
    const socket = await listener.tcp();
    socket.write(bytes);
    expect(await untilClosed(socket)).toBe('');
    expect(await listener.refusal()).toMatchObject({
      layer: 'transport',
      reason: 'protocol-error',
      because: expect.stringContaining(because),
    });
  });
});

describe('the deadline', () => {
  it.each([
    ['silence', '', 'the first bytes'],
    ['half a ClientHello', '1603010200010001fc0303', 'the ClientHello'],
  ])('ends %s', async (_what, hex, phase) => {
    const listener = await open({ limits: { handshakeDeadlineMs: 60 } });
    const socket = await listener.tcp();
    if (hex !== '') socket.write(Buffer.from(hex, 'hex'));
    await untilClosed(socket);
    expect(await listener.refusal()).toMatchObject({ because: `${phase} took longer than 60 ms` });
    await listener.empty();
    expect(listener.refusals).toHaveLength(1);
  });

  it('ends a handshake that stops after the ClientHello', async () => {
    const listener = await open({ limits: { handshakeDeadlineMs: 60 } });
    const hello = await clientHello();
    const socket = await listener.tcp();
    socket.write(hello);
    expect((await untilClosed(socket)).length).toBeGreaterThan(100);
    expect(await listener.refusal()).toMatchObject({ because: 'the TLS handshake took longer than 60 ms' });
    await listener.empty();
    expect(listener.refusals).toHaveLength(1);
    expect(listener.admission.handshakes).toBe(0);
  });
});

describe('clients that say ClientHello at once', () => {
  it('are all served, and those that leave before their turn are nobody any more', async () => {
    // By this clock every handshake takes more than a turn has room for.
    const handshakes = new HandshakeTurns({ nowMs: Date.now, monotonicMs: () => performance.now() * 1_000 });
    const listener = await open({ handshakes });
    const hello = await clientHello();
    const leaving = await Promise.all(Array.from({ length: 20 }, () => listener.tcp()));
    const staying = Array.from({ length: 10 }, () => client(listener, pump));
    for (const [n, socket] of leaving.entries()) {
      if (n % 2 === 0) socket.end(hello);
      else socket.write(hello, () => socket.resetAndDestroy());
    }
    await listener.connection(9);
    for (const socket of staying) socket.destroy();
    await listener.empty();
    expect(listener.admission.handshakes).toBe(0);
    for (const { because } of listener.refusals) expect(because).toContain('ended the TLS handshake without a word');
  });
});

describe('new material', () => {
  it('serves new handshakes, keeps the live ones, and changes nothing when it cannot be used', async () => {
    const listener = await open();
    const before = client(listener, pump);
    await listener.connection();
    const next = { ...foreign.server(), clientCa: authority.ca };
    expect(() => listener.listener.setTls({ ...next, key: material.key })).toThrow(
      expect.objectContaining({ code: 'MOT-0404' }),
    );
    const still = client(listener, pump);
    await listener.connection(1);
    listener.listener.setTls(next);
    const after = client(listener, { ...pump, ca: foreign.ca });
    await listener.connection(2);
    expect([before, still, after].map((socket) => socket.destroyed)).toEqual([false, false, false]);
    for (const socket of [before, still, after]) socket.destroy();
  });

  it('with other CAs refuses those that are no longer trusted', async () => {
    const listener = await open();
    listener.listener.setTls({ ...material, clientCa: foreign.ca });
    await untilClosed(client(listener, pump));
    expect(await listener.refusal()).toMatchObject({ because: expect.stringContaining('a foreign certificate') });
    client(listener, foreign.issue('pump-1'));
    await listener.connection();
  });
});

describe('many connections', () => {
  it('leave nothing behind, 200 of them coming and going in every way', async () => {
    const listener = await open();
    const before = process
      .getActiveResourcesInfo()
      .filter((name) => name.startsWith('TCPSocket') || name === 'Timeout').length;
    for (let round = 0; round < 10; round++) {
      const clients = Array.from({ length: 20 }, async (_, n) => {
        if (n % 4 === 0) return await untilClosed(client(listener));
        if (n % 4 === 1) {
          const socket = await listener.tcp();
          socket.end('no TLS');
          return await untilClosed(socket);
        }
        const socket = client(listener, pump);
        await once(socket, 'secureConnect');
        if (n % 4 === 2) socket.destroy();
        else socket.end();
        return await untilClosed(socket);
      });
      await Promise.all(clients);
    }
    await listener.empty();
    expect(listener.admission.handshakes).toBe(0);
    expect(listener.admission.sources).toBe(0);
    const count = (words: string): number => listener.refusals.filter(({ because }) => because.includes(words)).length;
    expect([count('no certificate'), count('not TLS')]).toEqual([50, 50]);
    // Closing handles are let go in the next turns.
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    const after = process
      .getActiveResourcesInfo()
      .filter((name) => name.startsWith('TCPSocket') || name === 'Timeout').length;
    expect(after).toBeLessThanOrEqual(before);
  });
});

/** What a client sends first. */
async function clientHello(): Promise<Buffer> {
  const { createServer } = await import('node:net');
  const { connect } = await import('node:tls');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  const [peer] = (await once(server, 'connection')) as [Socket];
  const [chunk] = (await once(peer, 'data')) as [Buffer];
  peer.destroy();
  socket.destroy();
  server.close();
  return chunk;
}
