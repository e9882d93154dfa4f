// MQTT over WebSocket (6): binary frames, sub-protocol "mqtt". Framing is the library's.

import { createWebSocketStream, type ClientOptions as LibraryOptions, WebSocket } from 'ws';
import type { OpenTransport } from '../transport.ts';
import { type TlsTransportOptions, tlsOptions } from './tls.ts';

export interface WebSocketOptions extends Pick<TlsTransportOptions, 'ca' | 'cert' | 'key'> {
  /** `ws://HOST:PORT/PATH` or `wss://…`. */
  readonly url: string;
  /** MQTT 3.1 servers know this sub-protocol as `mqttv3.1`; default `mqtt`. */
  readonly subProtocol?: 'mqtt' | 'mqttv3.1';
}

/** Opens a WebSocket; rejects with its error or when the server did not choose the sub-protocol [MQTT-6.0.0-3]. */
export function webSocketTransport(options: WebSocketOptions): OpenTransport {
  return () =>
    new Promise((resolve, reject) => {
      const libraryOptions: LibraryOptions = { perMessageDeflate: false, ...tlsOptions(options) };
      const socket = new WebSocket(options.url, options.subProtocol ?? 'mqtt', libraryOptions);
      socket.once('error', reject);
      socket.once('open', () => {
        socket.off('error', reject);
        const stream = createWebSocketStream(socket);
        // The library's stream stays half open, and would close only after something was written in vain.
        stream.once('end', () => stream.destroy());
        resolve(stream);
      });
    });
}
