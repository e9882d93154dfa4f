// MQTT over a Unix socket.

import { connect } from 'node:net';
import type { OpenTransport } from '../transport.ts';
import { opened } from './opened.ts';

/** Opens the Unix socket at `path`; rejects with the socket's error. */
export function unixTransport(path: string): OpenTransport {
  return () => opened(connect({ path }), 'connect');
}
