// MQTT over plain TCP.

import { connect } from 'node:net';
import type { OpenTransport } from '../transport.ts';
import { opened } from './opened.ts';

export interface TcpOptions {
  readonly host: string;
  readonly port: number;
}

/** Opens a TCP connection; rejects with the socket's error. */
export function tcpTransport(options: TcpOptions): OpenTransport {
  return () => opened(connect({ host: options.host, port: options.port, noDelay: true }), 'connect');
}
