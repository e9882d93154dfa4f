// WebSocket by hand (RFC 6455), right and wrong: the library rightly refuses to send most of what is needed here.

import { joined } from '../../harness/bytes.ts';
import type { Chance } from '../chance.ts';
import { damaged } from '../mutations.ts';

export function upgradeRequest(port: number): Uint8Array {
  const lines = [
    'GET /mqtt HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: mqtt',
  ];
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`);
}

/** One masked frame; binary and final unless said otherwise. */
export function webSocketFrame(payload: Uint8Array, firstByte = 0x82): Uint8Array {
  const mask = Uint8Array.of(1, 2, 3, 4);
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return joined([firstByte, lengthOf(payload.length, 0x80), mask, masked]);
}

function lengthOf(length: number, maskBit: number): Uint8Array {
  if (length < 126) return Uint8Array.of(maskBit | length);
  if (length < 65_536) return Uint8Array.of(maskBit | 126, length >> 8, length & 0xff);
  const bytes = new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, maskBit | 127);
  view.setBigUint64(1, BigInt(length));
  return bytes;
}

/** An upgrade, right or damaged, and what must not come behind it. */
export function webSocketNoise(chance: Chance, port: number): Uint8Array[] {
  const request = upgradeRequest(port);
  switch (chance.int(6)) {
    case 0:
      return [damaged(request, chance)];
    case 1:
      return [request.slice(0, chance.int(request.length))];
    case 2:
      return [new TextEncoder().encode(`GET /mqtt HTTP/1.1\r\n${'X: y\r\n'.repeat(chance.pick([10, 500, 5000]))}`)];
    case 3:
      return [
        new TextEncoder().encode(chance.pick(['GET / HTTP/1.1\r\n\r\n', 'POST /mqtt HTTP/1.1\r\n\r\n', '\r\n\r\n'])),
      ];
    default:
      return [request, ...Array.from({ length: chance.between(1, 6) }, () => brokenFrame(chance))];
  }
}

function brokenFrame(chance: Chance): Uint8Array {
  const payload = chance.bytes(chance.pick([0, 1, 2, 125, 126, 200]));
  switch (chance.int(9)) {
    case 0:
      return webSocketFrame(payload, 0x80 | chance.between(3, 7));
    case 1:
      return webSocketFrame(payload, chance.pick([0xc2, 0xa2, 0x92]));
    case 2:
      return joined([0x82, lengthOf(payload.length, 0), payload]);
    case 3:
      return webSocketFrame(payload, chance.pick([0x08, 0x09, 0x0a]));
    case 4:
      return webSocketFrame(payload, 0x80);
    case 5:
      return joined([0x82, 0xff, chance.bytes(8), payload]);
    case 6:
      return webSocketFrame(Uint8Array.of(0xff, 0xfe, 0xc0), 0x81);
    case 7:
      return webSocketFrame(joined([chance.pick([0, 999, 1005, 1006, 5000]) >> 8, 0xe8, payload]), 0x88);
    default:
      return damaged(webSocketFrame(payload), chance);
  }
}
