// Where the admin API listens: the Unix socket of the data directory, and TLS on the loopback addresses of the console.
// Time limits and sizes of HTTP itself are set here; what is not HTTP gets one short answer and the door.

import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { ListenOptions, Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { AdminView } from '../ports/admin-view.ts';
import { createApp } from './app.ts';

export interface Served {
  /** The port of the console; 0 for the socket. */
  readonly port: number;
  /** New connections get this certificate. */
  setTls(material: ConsoleTls): void;
  close(): Promise<void>;
}

export interface ConsoleTls {
  readonly cert: string;
  readonly key: string;
}

export interface ConsoleOptions {
  readonly hosts: readonly string[];
  /** 0 = any free port, the same on every host. */
  readonly port: number;
  readonly tls: ConsoleTls;
  readonly onFault?: (fault: Error) => void;
}

/** Serves every route on a Unix socket, mode 0600. The caller holds the data directory's lock: an old socket file is stale. */
export async function serveSocket(
  view: AdminView,
  path: string,
  onFault: (fault: Error) => void = () => {},
): Promise<Served> {
  const app = await createApp(view, { door: 'socket', onFault });
  rmSync(path, { force: true });
  const { server, end } = bound(createServer(HTTP_LIMITS, app.routing));
  // The directory is 0700, so nobody else can connect between listen and chmod.
  await listen(server, { path });
  chmodSync(path, 0o600);
  return {
    port: 0,
    setTls: () => {},
    close: async () => {
      await end();
      await app.close();
    },
  };
}

/** Serves health, and 401 for all else, over TLS on each host. A host this machine does not have is left out if another opens. */
export async function serveConsole(view: AdminView, options: ConsoleOptions): Promise<Served> {
  const app = await createApp(view, { door: 'console', ...(options.onFault ? { onFault: options.onFault } : {}) });
  const servers: Bound<TlsServer>[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(({ end }) => end()));
    await app.close();
  };
  let port = options.port;
  let missing: unknown;
  try {
    for (const host of options.hosts) {
      const tls = { ...tlsOptions(options.tls), handshakeTimeout: HANDSHAKE_MS };
      const opened = bound(createTlsServer({ ...HTTP_LIMITS, ...tls }, app.routing));
      try {
        await listen(opened.server, { host, port, ipv6Only: host.includes(':') });
      } catch (fault) {
        if ((fault as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw fault;
        missing = fault;
        continue;
      }
      servers.push(opened);
      const address = opened.server.address();
      if (address !== null && typeof address === 'object') port = address.port;
    }
    if (servers.length === 0) throw missing;
  } catch (fault) {
    await close();
    throw fault;
  }
  return {
    port,
    setTls: (tls) => {
      for (const { server } of servers) server.setSecureContext(tlsOptions(tls));
    },
    close,
  };
}

function tlsOptions(tls: ConsoleTls): SecureContextOptions {
  return { cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' };
}

interface Bound<S> {
  readonly server: S;
  /** Accepts nothing more and cuts off who is there. */
  end(): Promise<void>;
}

function bound<S extends Server | TlsServer>(server: S): Bound<S> {
  // Node's own list knows no peer before its TLS handshake, nor after bytes that are not HTTP; closing would wait for them.
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.maxConnections = CONNECTIONS_MAX;
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
      for (const socket of connections) socket.destroy();
    });
  return { server, end };
}

function listen(server: Server | TlsServer, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const HTTP_LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
};
const HANDSHAKE_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const IDLE_MS = 30_000;
const CONNECTIONS_MAX = 100;
const BAD_REQUEST = 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
