// Two ends of a connection in memory. Like a socket it delivers in a later turn, in order, with back-pressure; unlike one
// it needs no port and no wall time. `settle` waits until nothing moves any more.

import { Duplex } from 'node:stream';

/** Quiet turns after which nothing more is on its way: longer than any chain of promises and callbacks in the broker. */
const QUIET_TURNS = 12;
/** Turns after which something is running in circles. */
const TURNS_MAX = 20_000;

let moves = 0;

class End extends Duplex {
  peer: End | undefined = undefined;
  #waiting: (() => void) | undefined = undefined;

  override _read(): void {
    const go = this.#waiting;
    this.#waiting = undefined;
    go?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    moves++;
    // A copy, as a kernel would make: the writer may use its buffer again once the write is done.
    const copy = Buffer.from(chunk);
    setImmediate(() => this.peer?.deliver(copy, done));
  }

  override _final(done: () => void): void {
    moves++;
    setImmediate(() => {
      if (this.peer?.destroyed === false) this.peer.push(null);
      done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    moves++;
    this._read();
    setImmediate(() => this.peer?.destroy());
    done(error);
  }

  /** Takes a chunk from the other end and calls `done` when there is room for the next. */
  deliver(chunk: Buffer, done: () => void): void {
    moves++;
    if (this.destroyed || this.push(chunk)) done();
    else this.#waiting = done;
  }
}

/** Two connected streams. Ending one ends the other's readable side; destroying one destroys both. */
export function duplexPair(): [Duplex, Duplex] {
  const one = new End({ allowHalfOpen: true });
  const other = new End({ allowHalfOpen: true });
  one.peer = other;
  other.peer = one;
  return [one, other];
}

/** What else must be at rest: a disk that answers in its own time. */
const disks = new Set<() => boolean>();

/** From now on `settle` waits as long as `isBusy`; call the answer to end it. */
export function settleWith(isBusy: () => boolean): () => void {
  disks.add(isBusy);
  return () => void disks.delete(isBusy);
}

/** Resolves when no byte has moved on any pair for a while, counted in turns of the event loop and not in time. */
export async function settle(): Promise<void> {
  let seen = moves;
  let quiet = 0;
  for (let turn = 0; quiet < QUIET_TURNS; turn++) {
    if (turn > TURNS_MAX) throw new Error('the connections do not come to rest');
    while ([...disks].some((isBusy) => isBusy())) {
      quiet = 0;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setImmediate(resolve));
    quiet = moves === seen ? quiet + 1 : 0;
    seen = moves;
  }
}
