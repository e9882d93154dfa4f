// The client over a socket: one connection per call, so that a restarted authority needs no reconnecting.

import { connect } from 'node:net';
import type { Call } from '../authority/core.ts';
import { CALL_DEADLINE_MS, CLIENT_CALLS_MAX, PASSPHRASE_DEADLINE_MS } from '../limits.ts';
import { errno } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { encodeLine, LineReader } from '../protocol/lines.ts';
import { parseAnswer } from '../protocol/messages.ts';
import { socketPath } from '../socket-path.ts';
import { type Administrator, administrator, type BrokerAuthority, brokerAuthority } from './faces.ts';

/** The authority behind an authority.sock; opens nothing yet. Calls reject with MOT-0421 if nobody listens there. */
export function openAuthority(path: string): Administrator {
  return administrator(callOver(path));
}

/** The authority behind a broker.sock; as above. What is under way when `ending` is aborted rejects so as well. */
export function openBrokerAuthority(path: string, ending?: AbortSignal): BrokerAuthority {
  return brokerAuthority(callOver(path, ending));
}

function callOver(path: string, ending?: AbortSignal): Call {
  let free = CLIENT_CALLS_MAX;
  const waiting: (() => void)[] = [];
  return async (method, params) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      // The authority is trusted with the shape of its result: it holds the keys that all else rests on.
      const deadlineMs = method === 'backup.begin' ? PASSPHRASE_DEADLINE_MS : CALL_DEADLINE_MS;
      return (await exchange(path, encodeLine({ id: 1, method, params }), { deadlineMs, ending })) as never;
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

interface Patience {
  readonly deadlineMs: number;
  readonly ending: AbortSignal | undefined;
}

function exchange(path: string, line: string, { deadlineMs, ending }: Patience): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const reader = new LineReader();
    const socket = connect(socketPath(path));
    const finish = (settle: () => void) => {
      clearTimeout(deadline);
      ending?.removeEventListener('abort', giveUp);
      socket.destroy();
      settle();
    };
    const unreachable = (why: string) => finish(() => reject(new AuthorityFault('MOT-0421', `${path} ${why}`)));
    const giveUp = (): void => unreachable('was asked by a program that ends');
    const deadline = setTimeout(() => unreachable('gave no answer in time'), deadlineMs);
    ending?.addEventListener('abort', giveUp);
    if (ending?.aborted === true) giveUp();
    socket.once('connect', () => socket.write(line));
    socket.once('error', (fault) => unreachable(`(${errno(fault) ?? fault.message})`));
    socket.once('close', () => unreachable('closed without an answer'));
    socket.on('data', (chunk: Buffer) => {
      try {
        const [first] = reader.push(chunk);
        if (first === undefined) return;
        const answer = parseAnswer(first);
        if ('error' in answer) throw new AuthorityFault(answer.error.code, answer.error.why);
        finish(() => resolve(answer.result));
      } catch (fault) {
        finish(() => reject(fault));
      }
    });
  });
}
