// One holder of a directory at a time, with nothing left for a person to remove after kill -9, a reboot or a restored
// backup. Does not guard against the same user's ill will.
//
// A claim is a Unix socket in the directory on which its claimant listens: the kernel, not a process id, says whether the
// claimant lives, across containers too. Everyone puts a live claim in place first and looks for others second, so of
// two at least one sees the other. Whoever sees a live claim takes its own back and tries again; dead ones are removed.

import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensurePrivateDirectory, errno, unsafe, unwritable } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { socketPath } from '../socket-path.ts';

export interface Lock {
  release(): Promise<void>;
}

const CLAIM = /^([0-9]+)-[0-9a-f]{8}$/;
/** Claims appear under their name only once somebody listens, so a refused connection always means a dead claimant. */
const DRAFT_PREFIX = 'draft-';
const RETRY_MS = { least: 5, spread: 20, spreadMax: 160 };

/** Locks `directory` (made if missing); throws MOT-0422 naming the holder if it is not free within `waitMs`. */
export async function acquireLock(directory: string, waitMs: number): Promise<Lock> {
  await ensurePrivateDirectory(directory);
  const deadline = performance.now() + waitMs;
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await claim(directory);
    if ('lock' in outcome) return outcome.lock;
    if (performance.now() >= deadline) {
      throw new AuthorityFault('MOT-0422', `process ${outcome.holder} holds ${directory}`);
    }
    await pauseBeforeRetry(attempt);
  }
}

/** Claimants that saw each other and stepped back must not meet again in step: a random pause, longer each time. */
export function pauseBeforeRetry(attempt: number): Promise<void> {
  const spread = Math.min(RETRY_MS.spreadMax, RETRY_MS.spread * 2 ** Math.min(attempt, 10));
  return sleep(RETRY_MS.least + Math.random() * spread);
}

async function claim(directory: string): Promise<{ lock: Lock } | { holder: string }> {
  const name = `${process.pid}-${randomBytes(4).toString('hex')}`;
  const path = join(directory, name);
  const draft = join(directory, DRAFT_PREFIX + name);
  const server = await listen(draft);
  const release = async () => {
    await fs.rm(path, { force: true });
    await fs.rm(draft, { force: true });
    await new Promise<void>((done) => server.close(() => done()));
  };
  try {
    const renamed = await fs.rename(draft, path).then(
      () => true,
      (fault: unknown) => (errno(fault) === 'ENOENT' ? false : Promise.reject(fault)),
    );
    if (!renamed) {
      await release();
      return { holder: 'unknown' };
    }
    const holder = await findOther(directory, name);
    if (holder === undefined) return { lock: { release } };
    await release();
    return { holder };
  } catch (fault) {
    await release();
    throw fault instanceof AuthorityFault ? fault : unwritable(directory, fault);
  }
}

/** The process id of another live claimant; removes the claims and drafts of dead ones on the way. */
async function findOther(directory: string, own: string): Promise<string | undefined> {
  for (const name of await fs.readdir(directory)) {
    if (name === own) continue;
    const path = join(directory, name);
    const draft = name.startsWith(DRAFT_PREFIX);
    const match = CLAIM.exec(draft ? name.slice(DRAFT_PREFIX.length) : name);
    if (
      match === null ||
      !(await fs.lstat(path).then(
        (facts) => facts.isSocket(),
        () => true,
      ))
    ) {
      throw unsafe(path, 'does not belong there');
    }
    const life = await probe(path);
    if (life === 'alive' && !draft) return match[1];
    // A draft that looks dead may be about to be listened on: its rename then fails and its maker tries again.
    if (life === 'dead') await fs.rm(path, { force: true });
  }
  return undefined;
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    // It stays: whoever probes us when accept fails must not end the process.
    server.on('error', (fault) => reject(unwritable(path, fault)));
    server.listen(socketPath(path), () => resolve(server));
  });
}

function probe(path: string): Promise<'alive' | 'dead' | 'gone'> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath(path));
    socket.once('connect', () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', (fault) => {
      const code = errno(fault);
      if (code === 'ECONNREFUSED') resolve('dead');
      else if (code === 'ENOENT') resolve('gone');
      // A full backlog: somebody is there.
      else if (code === 'EAGAIN') resolve('alive');
      else reject(unsafe(path, fault));
    });
  });
}
