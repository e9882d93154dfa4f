// An HTTP server with bounds, whatever it serves: connections, time for headers, requests and answers, what TLS it speaks, and an
// end that does not wait for peers.

import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { ListenOptions, Socket } from 'node:net';
import { TLS_CIPHERS, TLS_GROUPS } from '../ports/tls-parameters.ts';
import { sourceOf } from './source.ts';

export interface Bound<S> {
  readonly server: S;
  /** Accepts nothing more and cuts off who is there. */
  end(): Promise<void>;
}

export interface BoundLimits {
  readonly connectionsMax: number;
  /** From one source, an address or an IPv6 network of a host; absent = as many as there may be. */
  readonly connectionsPerSourceMax?: number;
}

export function bound<S extends Server | TlsServer>(server: S, limits: BoundLimits): Bound<S> {
  const { connectionsMax, connectionsPerSourceMax = connectionsMax } = limits;
  // Node's own list knows no peer before its TLS handshake, nor after bytes that are not HTTP; closing would wait for them.
  const connections = new Map<Socket, string>();
  server.on('connection', (socket: Socket) => {
    const source = sourceOf(socket.remoteAddress ?? '');
    const others = [...connections.values()].filter((one) => one === source).length;
    connections.set(socket, source);
    socket.once('close', () => connections.delete(socket));
    if (others >= connectionsPerSourceMax) socket.destroy();
  });
  server.maxConnections = connectionsMax;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // The other limits are for requests; this one is for a peer that does not take its answer.
  server.timeout = IDLE_MS;
  // Without file descriptors accept fails, and an event that nobody hears would end the process.
  server.on('error', () => {});
  server.on('clientError', (_fault: Error, socket: Socket) => {
    // HTTP servers keep the half that the peer does not close: a hundred of those would be all there are.
    socket.once('finish', () => socket.destroy());
    if (socket.writable) socket.end(BAD_REQUEST);
    else socket.destroy();
  });
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of connections.keys()) socket.destroy();
    });
  return { server, end };
}

export function listen(server: Server | TlsServer, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

export const HTTP_LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
};
/** What TLS is spoken with. */
export const TLS_PARAMETERS = {
  minVersion: 'TLSv1.2',
  ciphers: TLS_CIPHERS,
  ecdhCurve: TLS_GROUPS,
  honorCipherOrder: true,
} as const;
export const HANDSHAKE_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const IDLE_MS = 30_000;
const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
