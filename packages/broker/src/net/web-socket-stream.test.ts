import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { TestListener } from '../../../../test/fixtures/test-listener.ts';
import { CONNACK, CONNECT, openWebSocketListener } from '../../../../test/fixtures/web-socket.ts';

function client(listener: TestListener): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${listener.port}/mqtt`, ['mqtt']);
  socket.on('error', () => undefined);
  return socket;
}

describe('what a peer sends in parts', () => {
  it('keeps no large first message for a peer that nobody has proven', async () => {
    const listener = await openWebSocketListener({ limits: { connectBytesMax: 1_000 } });
    const socket = client(listener);
    await once(socket, 'open');
    socket.send(Buffer.alloc(500_000));
    await once(socket, 'close');
    expect((await listener.refusal()).because).toContain('more than 4000 bytes');
    await listener.empty();
  });

  it('keeps no more behind an empty first message, nor for pings', async () => {
    const listener = await openWebSocketListener({ limits: { connectBytesMax: 1_000 } });
    const empty = client(listener);
    await once(empty, 'open');
    empty.send(Buffer.alloc(0));
    empty.send(Buffer.alloc(500_000));
    await once(empty, 'close');
    expect((await listener.refusal()).because).toContain('more than 4000 bytes');
    const pinging = client(listener);
    await once(pinging, 'open');
    for (let n = 0; n < 40; n++) pinging.ping(Buffer.alloc(100));
    await once(pinging, 'close');
    expect((await listener.refusal(1)).because).toContain('more than 4000 bytes');
    await listener.empty();
  });

  it('reads no further behind a CONNECT until that is answered, and loses nothing', async () => {
    const received: Buffer[] = [];
    const listener = await openWebSocketListener({
      limits: { connectBytesMax: 1_000 },
      onConnection: (stream) => stream.on('data', (chunk: Buffer) => received.push(chunk)),
    });
    const socket = client(listener);
    await once(socket, 'open');
    socket.send(CONNECT);
    socket.send(Buffer.alloc(500_000, 1));
    const { stream } = await listener.connection();
    while (received.length === 0) await once(stream, 'data');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(Buffer.concat(received)).toEqual(CONNECT);
    stream.write(CONNACK);
    while (Buffer.concat(received).length < CONNECT.length + 500_000) await once(stream, 'data');
    expect(listener.refusals).toHaveLength(0);
    socket.close();
    const [code] = await once(socket, 'close');
    expect(code).toBe(1005);
  });

  it('ends a message that is not finished before the deadline, pings in between or not', async () => {
    const listener = await openWebSocketListener({ limits: { partialPacketDeadlineMs: 200 } });
    const socket = client(listener);
    await once(socket, 'open');
    const { stream } = await listener.connection();
    socket.send(CONNECT);
    stream.write(CONNACK);
    await once(socket, 'message');
    // Pings alone, even one in two pieces, are no message.
    const wire = (socket as unknown as { _socket: Socket })._socket;
    for (const piece of ['898500000000', '0000000000']) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      wire.write(Buffer.from(piece, 'hex'));
    }
    socket.ping('x');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.send(Buffer.alloc(10), { fin: false });
    const pinging = setInterval(() => socket.ping('y'), 20);
    await once(socket, 'close');
    clearInterval(pinging);
    expect((await listener.refusal()).because).toBe('a WebSocket message was not whole after 200 ms');
  });
});
