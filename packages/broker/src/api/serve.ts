// Where the admin API listens: the Unix socket of the data directory, and TLS on the loopback addresses of the console.
// Time limits and sizes of HTTP itself are set here; what is not HTTP gets one short answer and the door.

import { constants } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { AdminView } from '../ports/admin-view.ts';
import { createApp } from './app.ts';
import { type Bound, bound, HANDSHAKE_MS, HTTP_LIMITS, listen, TLS_PARAMETERS } from './bound.ts';

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
  const { server, end } = bound(createServer(HTTP_LIMITS, app.routing), LIMITS);
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
      const opened = bound(createTlsServer({ ...HTTP_LIMITS, ...tls }, app.routing), LIMITS);
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
  return {
    cert: tls.cert,
    key: tls.key,
    ...TLS_PARAMETERS,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  };
}

const LIMITS = { connectionsMax: 100 };
