// MQTT 5.0, 6: MQTT over WebSocket, through a real listener on a free port of this machine.

import { once } from 'node:events';
import { decode, encode, type Packet } from '@motte/wire';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { listenOn } from '../../harness/index.ts';

const CONNECT = encode(
  { type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties: {} },
  5,
);
const PINGREQ = encode({ type: 'pingreq' }, 5);

/** A WebSocket and the frames that came over it, as they came. */
class Peer {
  readonly socket: WebSocket;
  readonly frames: { readonly data: Buffer; readonly binary: boolean }[] = [];

  constructor(url: string, protocols: string[]) {
    this.socket = new WebSocket(url, protocols);
    this.socket.binaryType = 'nodebuffer';
    this.socket.on('message', (data, binary) => this.frames.push({ data: data as Buffer, binary }));
    this.socket.on('error', () => undefined);
    onTestFinished(() => this.socket.terminate());
  }

  get packets(): Packet[] {
    const bytes = Buffer.concat(this.frames.map(({ data }) => data));
    const packets: Packet[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = 2 + (bytes[at + 1] ?? 0);
      packets.push(decode(bytes.subarray(at, at + length), 5));
      at += length;
    }
    return packets;
  }

  async until(count: number): Promise<string[]> {
    while (this.packets.length < count) await once(this.socket, 'message');
    return this.packets.map((packet) => packet.type);
  }
}

async function opened(protocols = ['mqtt']): Promise<Peer> {
  const peer = new Peer(await listenOn({ scheme: 'ws', path: '/mqtt' }), protocols);
  await once(peer.socket, 'open');
  return peer;
}

describe('MQTT over WebSocket', () => {
  it('[MQTT-6.0.0-4] the sub-protocol is mqtt, also among others', async () => {
    expect((await opened()).socket.protocol).toBe('mqtt');
    expect((await opened(['chat', 'mqtt', 'other'])).socket.protocol).toBe('mqtt');
  });

  it('[MQTT-6.0.0-1] answers come in binary frames', async () => {
    const peer = await opened();
    peer.socket.send(CONNECT);
    expect(await peer.until(1)).toEqual(['connack']);
    expect(peer.frames.every(({ binary }) => binary)).toBe(true);
  });

  it('[MQTT-6.0.0-1] a text frame ends the connection', async () => {
    const peer = await opened();
    peer.socket.send(CONNECT);
    await peer.until(1);
    peer.socket.send('a text frame');
    await once(peer.socket, 'close');
    expect(peer.packets.every((packet) => packet.type !== 'pingresp')).toBe(true);
  });

  it('[MQTT-6.0.0-2] packets need not begin or end with a frame', async () => {
    const peer = await opened();
    for (const byte of CONNECT) peer.socket.send(Uint8Array.of(byte));
    peer.socket.send(Buffer.concat([PINGREQ, PINGREQ, PINGREQ.subarray(0, 1)]));
    peer.socket.send(Buffer.concat([PINGREQ.subarray(1), PINGREQ]));
    expect(await peer.until(5)).toEqual(['connack', 'pingresp', 'pingresp', 'pingresp', 'pingresp']);
  });

  it('control frames of WebSocket itself are answered and change nothing', async () => {
    const peer = await opened();
    peer.socket.send(CONNECT);
    await peer.until(1);
    peer.socket.ping('still there?');
    await once(peer.socket, 'pong');
    peer.socket.send(PINGREQ);
    expect(await peer.until(2)).toEqual(['connack', 'pingresp']);
  });
});
