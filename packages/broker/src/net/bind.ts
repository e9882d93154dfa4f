// Binds a listener to its address or socket path, and says in one sentence what keeps it from that.

import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { ListenerConfig } from '../ports/config.ts';
import { explainListenError, ListenerFault } from './listener-fault.ts';

/** Resolves with the listener's URL, real port included, once connections are accepted. Throws ListenerFault. */
export async function bind(server: Server, config: ListenerConfig): Promise<string> {
  const where = `listener ${config.name} (${config.url})`;
  if (config.scheme === 'mqtt+unix') {
    try {
      await clearStaleSocket(config.path, where);
      await listenPrivately(server, config.path, where);
    } catch (error) {
      if (error instanceof ListenerFault) throw error;
      throw explainListenError(where, error as NodeJS.ErrnoException);
    }
    return `mqtt+unix://${config.path}`;
  }
  await listening(server, where, () =>
    server.listen({ host: withoutBrackets(config.host), port: config.port, backlog: BACKLOG }),
  );
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : config.port;
  const host = withoutBrackets(config.host);
  const path = config.scheme === 'ws' || config.scheme === 'wss' ? config.path : '';
  return `${config.scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}

/** A socket that only this user can open, from the first moment it exists. */
async function listenPrivately(server: Server, path: string, where: string): Promise<void> {
  // A worker thread cannot set the mask; there only the mode is set, a moment later.
  const mask = isMainThread ? process.umask(0o177) : undefined;
  const bound = listening(server, where, () => server.listen({ path, backlog: BACKLOG }));
  if (mask !== undefined) process.umask(mask);
  await bound;
  chmodSync(path, 0o600);
}

/** Removes a socket that a dead process left; anything else at the path stays and is a fault. */
async function clearStaleSocket(path: string, where: string): Promise<void> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    const why = `${where}: the path of the socket is longer than ${SOCKET_PATH_BYTES_MAX} bytes`;
    throw new ListenerFault('MOT-0301', why, 'choose a shorter path');
  }
  // `listen` itself would say that it is not permitted.
  if (!existsSync(dirname(path))) throw explainListenError(where, Object.assign(new Error(), { code: 'ENOENT' }));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new ListenerFault('MOT-0301', `${where}: something that is no socket is at the path`, 'choose another path');
  }
  if (found.uid !== process.getuid?.()) {
    throw new ListenerFault('MOT-0301', `${where}: the socket there belongs to another user`, 'choose another path');
  }
  if (await answers(path)) throw explainListenError(where, Object.assign(new Error(), { code: 'EADDRINUSE' }));
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Refused: nobody listens. Anything else, such as a full queue: somebody does.
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

function listening(server: Server, where: string, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(explainListenError(where, error));
    server.once('error', failed);
    server.once('listening', () => {
      server.removeListener('error', failed);
      resolve();
    });
    listen();
  });
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** Connections that wait to be accepted; the kernel lowers it to its own limit. */
const BACKLOG = 4_096;
/** What every system takes as the path of a socket. */
const SOCKET_PATH_BYTES_MAX = 103;
