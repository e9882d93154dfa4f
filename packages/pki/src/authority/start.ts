// The authority as a service: lock, CA, two sockets. Start-up either gets all of them or leaves nothing behind.

import { lstat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Administrator, administrator, type BrokerAuthority, brokerAuthority } from '../client/faces.ts';
import { ADMINISTRATOR_SOCKET, BROKER_SOCKET, LOCK_WAIT_MS, type SocketLimits } from '../limits.ts';
import { ensurePrivateDirectory, errno } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { LOOK_MS } from '../time-floor.ts';
import type { AskPassphrase } from './asking.ts';
import { createDataDirectory, openCore, openPkiDirectory } from './core.ts';
import { acquireLock } from './lock.ts';
import { openSocket } from './socket.ts';

export interface AuthorityOptions {
  readonly data: string;
  /** A directory for both sockets instead of `<data>/run`: the broker is of another user, and reaches its one by the group. */
  readonly sockets?: string;
  /** Wall-clock milliseconds since 1970. */
  readonly now?: () => number;
  /** See CoreOptions. */
  readonly builtMs?: number;
  readonly lockWaitMs?: number;
  /** Asks a person for the passphrase of the keys, where they have one that is asked for. */
  readonly ask?: AskPassphrase;
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

/** Takes over `<data>/pki` and listens; throws an AuthorityFault (MOT-0422 to 0425, 0428, 0429). */
export async function startAuthority(options: AuthorityOptions): Promise<RunningAuthority> {
  await createDataDirectory(options.data);
  const pki = await openPkiDirectory(options.data);
  const { sockets } = options;
  const run = sockets === undefined ? join(pki, '..', 'run') : resolve(sockets);
  await (sockets === undefined ? ensurePrivateDirectory(run) : checkSharedDirectory(run));
  const undo: (() => Promise<void>)[] = [];
  const close = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    const lock = await acquireLock(join(pki, 'lock'), options.lockWaitMs ?? LOCK_WAIT_MS);
    undo.push(lock.release);
    const core = await openCore(pki, {
      now: options.now ?? Date.now,
      create: true,
      ...(options.ask === undefined ? {} : { ask: options.ask }),
      ...(options.builtMs === undefined ? {} : { builtMs: options.builtMs }),
    });
    undo.push(core.close);
    const floorTimer = setInterval(() => void core.floor.look(), LOOK_MS).unref();
    undo.push(async () => {
      clearInterval(floorTimer);
      await core.floor.look();
    });
    const { call, fingerprint, created } = core;
    const onFailure = options.onFailure ?? (() => undefined);
    const open = async (audience: 'authority' | 'broker', limits: SocketLimits) => {
      const path = join(run, `${audience}.sock`);
      const mode = sockets !== undefined && audience === 'broker' ? 0o660 : 0o600;
      const socket = await openSocket({ path, audience, mode, limits, call, onFailure });
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

/** Others may pass through it, but nobody else may put a socket of his own in our place. Throws MOT-0429. */
async function checkSharedDirectory(path: string): Promise<void> {
  const refuse = (why: string) => new AuthorityFault('MOT-0429', `${path} ${why}`);
  const facts = await lstat(path).catch((fault: unknown) => Promise.reject(refuse(`(${errno(fault)})`)));
  if (!facts.isDirectory()) throw refuse('is not a directory');
  const own = process.getuid?.();
  if (own !== undefined && facts.uid !== own) throw refuse(`belongs to user ${facts.uid}, this is user ${own}`);
  if ((facts.mode & 0o022) !== 0) throw refuse('can be written by others');
}
