// Waits until a socket is open, so that "cannot be reached" is an error of opening and not of MQTT.

import type { Duplex } from 'node:stream';

/** Resolves with the socket once it emitted `event`; rejects with its error. */
export function opened<S extends Duplex>(socket: S, event: 'connect' | 'secureConnect' | 'open'): Promise<S> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once(event, () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
