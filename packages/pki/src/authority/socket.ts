// One of the two sockets: connections, deadlines, rates and lines. A request that is not for this socket is unknown here.
// Knows nothing of certificates. A peer that breaks the protocol gets one answer and is gone.

import { chmod, lstat, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { REFUSED_LINGER_MS, type SocketLimits } from '../limits.ts';
import { errno, unwritable } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { encodeLine, LineReader } from '../protocol/lines.ts';
import { parseRequest } from '../protocol/messages.ts';
import { METHODS } from '../protocol/methods.ts';
import { socketPath } from '../socket-path.ts';
import type { Call } from './core.ts';
import { RateGate } from './rate-gate.ts';

export interface SocketOptions {
  readonly path: string;
  readonly audience: 'authority' | 'broker';
  /** 0600, or 0660 where a broker of another user reaches it by its group. */
  readonly mode: number;
  readonly limits: SocketLimits;
  readonly call: Call;
  /** Told of what is nobody's refusal but a failure of ours. */
  readonly onFailure: (fault: unknown) => void;
}

export interface OpenSocket {
  readonly path: string;
  close(): Promise<void>;
}

/** Opens the socket in place of a dead one of that name; the caller holds the lock on the CA. Throws MOT-0429. */
export async function openSocket(options: SocketOptions): Promise<OpenSocket> {
  const { path, limits } = options;
  await refuseOther(path);
  const gate = new RateGate(limits.rates);
  const connections = new Set<Socket>();
  let served = 0;
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => connections.delete(socket));
    // As many again may be told why they are refused; beyond that there is only the end.
    if (connections.size >= 2 * limits.connectionsMax) return socket.destroy();
    connections.add(socket);
    if (served >= limits.connectionsMax) return refuse(socket, new AuthorityFault('MOT-0427', 'too many connections'));
    served += 1;
    void serve(socket, gate, options).finally(() => {
      served -= 1;
    });
  });
  // Opened under another name: whoever finds `path` finds it with its mode and with somebody listening.
  const draft = `${path}.draft`;
  await rm(draft, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (fault) =>
      reject(new AuthorityFault('MOT-0429', `${path} (${errno(fault) ?? fault.message})`)),
    );
    server.listen(socketPath(draft), resolve);
  });
  // Without file descriptors accept fails, and an event that nobody hears would end the process.
  server.on('error', options.onFailure);
  try {
    await chmod(draft, options.mode);
    await rename(draft, path);
  } catch (fault) {
    server.close();
    throw unwritable(path, fault);
  }
  return {
    path,
    close: async () => {
      await rm(path, { force: true });
      for (const socket of connections) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** A socket on which nobody listens is a dead authority's. The lock says nothing of one in a directory that two were given. */
async function refuseOther(path: string): Promise<void> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts === undefined) return;
  if (!facts.isSocket()) throw new AuthorityFault('MOT-0429', `${path} exists and is not a socket; move it away`);
  const isDead = await new Promise<boolean>((resolve) => {
    const probe = connect(socketPath(path));
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (fault) => resolve(['ECONNREFUSED', 'ENOENT'].includes(errno(fault) ?? '')));
  });
  if (!isDead) throw new AuthorityFault('MOT-0429', `another authority answers at ${path}`);
}

async function serve(socket: Socket, gate: RateGate, options: SocketOptions): Promise<void> {
  const reader = new LineReader();
  const deadline = setTimeout(() => {
    refuse(socket, new AuthorityFault('MOT-0427', 'the request took too long'));
  }, options.limits.requestDeadlineMs);
  // Whoever is gone is not waited for, although an answer may still be under way to him: an authority that ends would be kept by it.
  socket.once('close', () => clearTimeout(deadline));
  try {
    // The next chunk is read when the last one's requests are answered: one peer has one request under way.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      if (socket.writableEnded) continue;
      for (const line of reader.push(chunk as Buffer)) {
        const answer = await answerTo(line, gate, options);
        await write(socket, answer);
        deadline.refresh();
      }
    }
    socket.end();
  } catch (fault) {
    // Anything else is the connection's own end.
    if (fault instanceof AuthorityFault) refuse(socket, fault);
    else socket.destroy();
  } finally {
    clearTimeout(deadline);
  }
}

/** One last answer; what the peer still sends is thrown away, since cutting it off would take the answer with it. */
function refuse(socket: Socket, fault: AuthorityFault): void {
  if (!socket.writableEnded) socket.end(answerFault(0, fault));
  socket.resume();
  const cutOff = setTimeout(() => socket.destroy(), REFUSED_LINGER_MS);
  socket.once('close', () => clearTimeout(cutOff));
}

async function answerTo(line: string, gate: RateGate, options: SocketOptions): Promise<string> {
  const request = parseRequest(line);
  const { id, method, params } = request;
  try {
    if (METHODS[method].socket !== options.audience) throw new AuthorityFault('MOT-0426', 'no such method');
    gate.pass(method);
    return encodeLine({ id, result: await options.call(method, params) });
  } catch (fault) {
    if (fault instanceof AuthorityFault) return answerFault(id, fault);
    options.onFailure(fault);
    return answerFault(id, new AuthorityFault('MOT-0435', method));
  }
}

function write(socket: Socket, answer: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(answer, (fault) => (fault == null ? resolve() : reject(fault)));
  });
}

function answerFault(id: number, fault: AuthorityFault): string {
  return encodeLine({ id, error: { code: fault.code, why: fault.why } });
}
