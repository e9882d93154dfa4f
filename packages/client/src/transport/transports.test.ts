import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { connectClient } from '../connect-client.ts';
import { tcpTransport } from './tcp.ts';
import { tlsTransport } from './tls.ts';
import { unixTransport } from './unix.ts';
import { webSocketTransport } from './web-socket.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const action of undo.splice(0).reverse()) action();
});

const CONNACK = Uint8Array.of(0x20, 3, 0, 0, 0);

/** A server that accepts every CONNECT and shows nothing else. */
function accept(stream: Duplex): void {
  stream.on('error', () => undefined);
  stream.once('data', () => stream.write(CONNACK));
}

async function listeningForWebSockets(): Promise<WebSocketServer> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  undo.push(() => server.close());
  await once(server, 'listening');
  return server;
}

async function listening(path?: string): Promise<Server> {
  const server = createServer(accept);
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path });
  await once(server, 'listening');
  undo.push(() => server.close());
  return server;
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}

describe('transports', () => {
  it('[MQTT-4.2-1] connects over TCP', async () => {
    const client = await connectClient({
      transport: tcpTransport({ host: '127.0.0.1', port: portOf(await listening()) }),
    });
    await client.disconnect();
    expect((await client.closed).byPeer).toBe(false);
  });

  it('connects over a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'motte-client-'));
    undo.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'mqtt.sock');
    await listening(path);
    await (await connectClient({ transport: unixTransport(path) })).disconnect();
  });

  it('[MQTT-6.0.0-1] [MQTT-6.0.0-3] connects over WebSocket with binary frames and the sub-protocol mqtt', async () => {
    const server = await listeningForWebSockets();
    const offered: string[] = [];
    let binary = false;
    server.on('connection', (socket) => {
      offered.push(socket.protocol);
      socket.once('message', (_data, isBinary) => {
        binary = isBinary;
      });
      accept(createWebSocketStream(socket));
    });
    const client = await connectClient({
      transport: webSocketTransport({ url: `ws://127.0.0.1:${portOf(server)}/mqtt` }),
    });
    await client.disconnect();
    expect(offered).toEqual(['mqtt']);
    expect(binary).toBe(true);
  });

  it.each(['close', 'terminate'] as const)('a WebSocket that the server ends by `%s` is closed', async (how) => {
    const server = await listeningForWebSockets();
    const accepted: WebSocket[] = [];
    server.on('connection', (socket) => {
      accepted.push(socket);
      accept(createWebSocketStream(socket));
    });
    const client = await connectClient({
      transport: webSocketTransport({ url: `ws://127.0.0.1:${portOf(server)}/mqtt` }),
      keepAlive: 0,
    });
    accepted[0]?.[how]();
    expect(await client.closed).toMatchObject({ reason: 'connection-lost', byPeer: true });
  });

  it('rejects with the error of the socket when nobody listens', async () => {
    const server = await listening();
    const port = portOf(server);
    await new Promise((resolve) => server.close(resolve));
    undo.length = 0;
    for (const transport of [tcpTransport({ host: '127.0.0.1', port }), tlsTransport({ host: '127.0.0.1', port })]) {
      await expect(connectClient({ transport })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    }
    const url = `ws://127.0.0.1:${port}`;
    await expect(connectClient({ transport: webSocketTransport({ url }) })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  it('rejects when the other side does not speak TLS', async () => {
    const server = await listening();
    const transport = tlsTransport({ host: '127.0.0.1', port: portOf(server) });
    await expect(connectClient({ transport })).rejects.toThrow();
  });
});
