// MQTT 3.1.1, 6 and 7: the transports, through real listeners on free ports of this machine, spoken in raw bytes.

import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { bytesOf, frame, joined, listenOn, text, uint16 } from '../../harness/index.ts';
import { connectHeader4 } from './clients.ts';

const CONNECT = frame(0x10, connectHeader4(0x02), text('c'));
const CONNACK = '20020000';
const PINGREQ = bytesOf('c0 00');

async function webSocket(protocols: string[]): Promise<{ socket: WebSocket; frames: [Buffer, boolean][] }> {
  const socket = new WebSocket(await listenOn({ scheme: 'ws', path: '/mqtt' }), protocols);
  const frames: [Buffer, boolean][] = [];
  socket.on('message', (data, isBinary) => frames.push([data as Buffer, isBinary]));
  socket.on('error', () => undefined);
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  return { socket, frames };
}

const hexOf = (frames: [Buffer, boolean][]): string => Buffer.concat(frames.map(([data]) => data)).toString('hex');

describe('WebSocket', () => {
  it('[MQTT-6.0.0-4] the sub-protocol is mqtt', async () => {
    expect((await webSocket(['mqtt'])).socket.protocol).toBe('mqtt');
  });

  it('[MQTT-6.0.0-1] [MQTT-6.0.0-2] packets and frames need not begin or end together; answers are binary', async () => {
    const { socket, frames } = await webSocket(['mqtt']);
    const bytes = joined([CONNECT, PINGREQ, PINGREQ, PINGREQ]);
    const cuts = [1, 2, 5, CONNECT.length + 1, bytes.length];
    cuts.forEach((cut, at) => socket.send(bytes.subarray(cuts[at - 1] ?? 0, cut)));
    while (hexOf(frames).length < 20) await once(socket, 'message');
    expect(hexOf(frames)).toBe(`${CONNACK}d000d000d000`);
    expect(frames.every(([, isBinary]) => isBinary)).toBe(true);
  });

  it('[MQTT-6.0.0-1] a text frame ends the connection', async () => {
    const { socket, frames } = await webSocket(['mqtt']);
    socket.send(CONNECT);
    while (frames.length === 0) await once(socket, 'message');
    socket.send('text');
    await once(socket, 'close');
  });
});

describe('TCP', () => {
  async function tcp(
    url: string,
    clientId: string,
  ): Promise<{ socket: Socket; until: (length: number) => Promise<Buffer> }> {
    const { hostname, port } = new URL(url);
    const socket = connectTcp(Number(port), hostname);
    let got: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
    });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    socket.write(frame(0x10, connectHeader4(0x02), text(clientId)));
    const until = async (length: number): Promise<Buffer> => {
      while (got.length < length) await once(socket, 'data');
      const taken = got.subarray(0, length);
      got = got.subarray(length);
      return taken;
    };
    expect((await until(4)).toString('hex')).toBe(CONNACK);
    return { socket, until };
  }

  it('[MQTT-7.1.1-1] [MQTT-7.0.0-2] carries a conversation of nothing but the standard’s fields in order, without loss', async () => {
    const url = await listenOn({ scheme: 'mqtt' });
    const [subscriber, publisher] = [await tcp(url, 's'), await tcp(url, 'p')];
    subscriber.socket.write(frame(0x82, uint16(1), text('a'), 0));
    expect((await subscriber.until(5)).toString('hex')).toBe('9003000100');
    const messages = Array.from({ length: 500 }, (_, n) =>
      frame(0x30, text('a'), uint16(n), new Uint8Array(300).fill(n)),
    );
    for (const message of messages) publisher.socket.write(message);
    const expected = Buffer.concat(messages);
    expect((await subscriber.until(expected.length)).equals(expected)).toBe(true);
  });

  it('a client that just goes away leaves others alone', async () => {
    const url = await listenOn({ scheme: 'mqtt' });
    const [one, other] = [await tcp(url, 'one'), await tcp(url, 'other')];
    one.socket.resetAndDestroy();
    other.socket.write(PINGREQ);
    expect((await other.until(2)).toString('hex')).toBe('d000');
  });
});
