// A peer of the sockets that says exactly the bytes a test gives it.

import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawPeer {
  send(bytes: string | Uint8Array): void;
  /** The next whole line, parsed; undefined once the other side has closed. */
  next(): Promise<unknown>;
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>;
  destroy(): void;
}

export async function openRawPeer(path: string): Promise<RawPeer> {
  const socket = connect(path);
  await once(socket, 'connect');
  const lines: string[] = [];
  const waiting: ((line: string | undefined) => void)[] = [];
  let held = '';
  let ended = false;
  socket.setEncoding('utf8');
  socket.on('error', () => undefined);
  socket.on('data', (text: string) => {
    const parts = (held + text).split('\n');
    held = parts.pop() ?? '';
    for (const line of parts) {
      const taker = waiting.shift();
      if (taker === undefined) lines.push(line);
      else taker(line);
    }
  });
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      ended = true;
      for (const taker of waiting.splice(0)) taker(undefined);
      resolve();
    });
  });
  return {
    send: (bytes) => void socket.write(bytes),
    next: async () => {
      const line = lines.shift() ?? (ended ? undefined : await new Promise<string | undefined>((r) => waiting.push(r)));
      return line === undefined ? undefined : JSON.parse(line);
    },
    closed,
    destroy: () => socket.destroy(),
  };
}
