// Injection into logs and terminals (EMQX 6.0.3, NanoMQ #2341): no control character that a peer can send before MQTT
// begins stands in what is reported of it.

import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestAuthority } from '../fixtures/certificates.ts';
import { openTestListener, type TestListener, untilClosed } from '../fixtures/test-listener.ts';

const HOSTILE = '\u001b]0;x\u0007\u009b2J\u202e';
const UPGRADE = [
  'Host: x',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
].join('\r\n');
const WEB = { scheme: 'ws', url: 'ws://127.0.0.1:0/mqtt', path: '/mqtt', authentication: 'none' } as const;

let listener: TestListener;
afterEach(() => listener.close());

/** What is reported of a peer that sends these bytes, as one text. */
async function reportOf(bytes: string | Buffer): Promise<string> {
  const socket = connect(listener.port, '127.0.0.1');
  socket.on('error', () => undefined).write(bytes);
  await untilClosed(socket);
  return Object.values(await listener.refusal()).join(' ');
}

describe('before MQTT begins', () => {
  it.each([
    ['an origin', `GET /mqtt HTTP/1.1\r\n${UPGRADE}\r\nOrigin: https://x${HOSTILE}\r\n\r\n`],
    ['a subprotocol', `GET /mqtt HTTP/1.1\r\n${UPGRADE}\r\nSec-WebSocket-Protocol: x${HOSTILE}\r\n\r\n`],
    ['a key', `GET /mqtt HTTP/1.1\r\n${UPGRADE}${HOSTILE}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n`],
    ['a path', `GET /${HOSTILE} HTTP/1.1\r\n${UPGRADE}\r\n\r\n`],
    ['a method', `${HOSTILE} / HTTP/1.1\r\n\r\n`],
  ])('%s is reported without its control characters', async (_what, text) => {
    listener = await openTestListener({ config: WEB });
    expect(await reportOf(text)).toMatch(/^[\x20-\x7e]+$/);
  });

  it.each(['latin1', 'utf8'] as const)(
    'garbage in place of a ClientHello, %s, is reported in hexadecimal',
    async (code) => {
      const authority = createTestAuthority('Plant');
      listener = await openTestListener({ material: { ...authority.server(), clientCa: authority.ca } });
      expect(await reportOf(Buffer.from(`${HOSTILE}\n`, code))).toMatch(/^[\x20-\x7e]+$/);
    },
  );
});
