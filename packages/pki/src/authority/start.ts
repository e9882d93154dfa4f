// The authority as a service: lock, CA, two sockets. Start-up either gets all of them or leaves nothing behind.

import { join } from 'node:path';
import { type Administrator, administrator, type BrokerAuthority, brokerAuthority } from '../client/faces.ts';
import { ADMINISTRATOR_SOCKET, BROKER_SOCKET, LOCK_WAIT_MS, type SocketLimits } from '../limits.ts';
import { ensurePrivateDirectory } from '../private-files.ts';
import { createDataDirectory, openCore, openPkiDirectory } from './core.ts';
import { acquireLock } from './lock.ts';
import { openSocket } from './socket.ts';

export interface AuthorityOptions {
  readonly data: string;
  /** Wall-clock milliseconds since 1970. */
  readonly now?: () => number;
  readonly lockWaitMs?: number;
  readonly limits?: { readonly authority?: SocketLimits; readonly broker?: SocketLimits };
  /** Told of failures that are nobody's refusal. */
  readonly onFailure?: (fault: unknown) => void;
}

export interface RunningAuthority {
  readonly authoritySocket: string;
  readonly brokerSocket: string;
  /** SHA-256 of the root's DER, lower-case hex. */
  readonly fingerprint: string;
  /** True if this start made the CA. */
  readonly created: boolean;
  /** The same handlers without a socket. */
  readonly administrator: Administrator;
  readonly broker: BrokerAuthority;
  close(): Promise<void>;
}

/** Takes over `<data>/pki` and listens in `<data>/run`; throws an AuthorityFault (MOT-0422 to 0425, 0428, 0429). */
export async function startAuthority(options: AuthorityOptions): Promise<RunningAuthority> {
  await createDataDirectory(options.data);
  const pki = await openPkiDirectory(options.data);
  const run = join(pki, '..', 'run');
  await ensurePrivateDirectory(run);
  const undo: (() => Promise<void>)[] = [];
  const close = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const lock = await acquireLock(join(pki, 'lock'), options.lockWaitMs ?? LOCK_WAIT_MS);
    undo.push(lock.release);
    const core = await openCore(pki, { now: options.now ?? Date.now, create: true });
    undo.push(core.close);
    const { call, fingerprint, created } = core;
    const onFailure = options.onFailure ?? (() => undefined);
    const open = async (audience: 'authority' | 'broker', limits: SocketLimits) => {
      const socket = await openSocket({ path: join(run, `${audience}.sock`), audience, limits, call, onFailure });
      undo.push(socket.close);
      return socket.path;
    };
    const authoritySocket = await open('authority', options.limits?.authority ?? ADMINISTRATOR_SOCKET);
    const brokerSocket = await open('broker', options.limits?.broker ?? BROKER_SOCKET);
    return {
      authoritySocket,
      brokerSocket,
      fingerprint,
      created,
      administrator: administrator(call),
      broker: brokerAuthority(call),
      close,
    };
  } catch (fault) {
    await close();
    throw fault;
  }
}
