import { once } from 'node:events';
import { createServer } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ClientHelloReader, parseClientHello } from './client-hello.ts';

/** What a real client sends first. */
async function realHello(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect({ port, host: '127.0.0.1', ...options });
  client.on('error', () => undefined);
  const [socket] = await once(server, 'connection');
  const [chunk] = await once(socket, 'data');
  socket.destroy();
  client.destroy();
  server.close();
  return chunk as Buffer;
}

/** The handshake message cut into records of this many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]), part);
  }
  return Buffer.concat(records);
}

function readAll(bytes: Buffer, size = bytes.length): ClientHelloReader {
  const reader = new ClientHelloReader();
  for (let at = 0; at < bytes.length; at += size) if (reader.push(bytes.subarray(at, at + size))) break;
  return reader;
}

describe('ClientHelloReader', () => {
  let hello: Buffer;
  let old: Buffer;
  beforeAll(async () => {
    hello = await realHello({ servername: 'broker.example', ALPNProtocols: ['mqtt', 'http/1.1'] });
    old = await realHello({ maxVersion: 'TLSv1.2', ecdhCurve: 'prime256v1', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
  });

  it('reads versions, suites, groups, server name and ALPN of a real TLS 1.3 client', () => {
    const read = readAll(hello).hello;
    expect(read?.versions).toEqual([0x0304, 0x0303]);
    expect(read?.cipherSuites).toContain(0x1301);
    expect(read?.groups).toContain(0x001d);
    expect(read?.serverName).toBe('broker.example');
    expect(read?.alpn).toEqual(['mqtt', 'http/1.1']);
  });

  it('reads a TLS 1.2 client, whose version stands in front', () => {
    const read = readAll(old).hello;
    expect(read?.versions).toEqual([0x0303]);
    expect(read?.groups).toEqual([0x0017]);
    expect(read?.serverName).toBeUndefined();
  });

  it('gives the same for every chunking and for every cut into records', () => {
    const whole = readAll(hello).hello;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 600 }), (chunk, record) => {
        expect(readAll(hello, chunk).hello).toEqual(whole);
        expect(readAll(inRecords(hello, record), chunk).hello).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('knows by the first byte that something is no TLS', () => {
    const reader = new ClientHelloReader();
    expect(reader.push(Buffer.from([0x10]))).toBe(true);
    expect(reader.refusal?.tls).toBe(false);
  });

  it.each([
    ['an empty record', '1603010000', '0 bytes'],
    ['a record that is too long', '160301ffff', '65535 bytes'],
    ['another handshake message', '160301000402000000', 'message 2'],
    ['a ClientHello that is too short', '160301000401000001', '1 bytes'],
    ['a ClientHello that is too long', '160301000401ffffff', '16777215 bytes'],
  ])('refuses %s', (_what, hex, because) => {
    const reader = readAll(Buffer.from(hex, 'hex'), 1);
    expect(reader.refusal?.because).toContain(because);
    expect(reader.refusal?.tls).toBe(true);
  });

  it('takes no more bytes than its bound, however small the records are', () => {
    const body = Buffer.alloc(16_384);
    const long = Buffer.concat([hello.subarray(0, 5), Buffer.from([1, 0, 0x40, 0]), body]);
    const reader = new ClientHelloReader();
    let pushed = 0;
    const trickle = inRecords(long, 1);
    while (pushed < trickle.length && !reader.push(trickle.subarray(pushed, pushed + 64))) pushed += 64;
    expect(reader.refusal?.because).toContain('more bytes than are taken');
    expect(pushed).toBeLessThan(21_000);
  });

  it('refuses a server name with control characters', () => {
    const bytes = Buffer.from(hello);
    bytes[bytes.indexOf('broker.example') + 3] = 0x0a;
    expect(readAll(bytes).refusal?.because).toBe('a server name that is not one');
  });

  it('refuses lengths that do not fit together', () => {
    const body = hello.subarray(9);
    expect(parseClientHello(body.subarray(0, body.length - 1))).toContain('do not fit together');
  });

  it('never throws, whatever is changed in a ClientHello', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(hello.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }),
        (edits) => {
          const bytes = Buffer.from(hello);
          for (const [at, value] of edits) bytes[at] = value;
          readAll(bytes, 7);
          parseClientHello(bytes.subarray(9));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
