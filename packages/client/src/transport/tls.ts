// MQTT over TLS, with a client certificate where the server wants one. The server is always verified.

import { isIP } from 'node:net';
import { checkServerIdentity, connect } from 'node:tls';
import type { OpenTransport } from '../transport.ts';
import { opened } from './opened.ts';
import type { TcpOptions } from './tcp.ts';

export interface TlsTransportOptions extends TcpOptions {
  /** PEM; the authorities that may have issued the server's certificate. Default: the runtime's own list. */
  readonly ca?: string | Uint8Array;
  /** PEM; our certificate chain. */
  readonly cert?: string | Uint8Array;
  /** PEM; the private key to `cert`. */
  readonly key?: string | Uint8Array;
  /** The name that the server's certificate must carry; default `host`. */
  readonly serverName?: string;
}

type Pem = Pick<TlsTransportOptions, 'ca' | 'cert' | 'key'>;

/** Options for node:tls; only what was given, so that its own defaults hold for the rest. */
export function tlsOptions(options: Pem): { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer } {
  return Object.fromEntries(
    (['ca', 'cert', 'key'] as const)
      .filter((name) => options[name] !== undefined)
      .map((name) => [name, asPem(options[name] as string | Uint8Array)]),
  );
}

/** Opens a TLS connection; rejects with the socket's error, also when the certificate does not fit. */
export function tlsTransport(options: TlsTransportOptions): OpenTransport {
  const name = options.serverName ?? options.host;
  return () => {
    const socket = connect({
      host: options.host,
      port: options.port,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
      ...tlsOptions(options),
    });
    socket.setNoDelay(true);
    return opened(socket, 'secureConnect');
  };
}

function asPem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value);
}
