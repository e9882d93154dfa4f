// Whether the store still does its work at all: a disk that says no is dealt with while the broker goes on, one that says nothing
// is only helped by a new start. The watchdog asks.

import type { Store } from '@motte/broker/ports/store';

/** Gives what is wrong, if anything: asked again and again, it notices what was staged at one time and waits long after. */
export function watchForStuckStore(
  store: Pick<Store, 'isCommitted' | 'lastTicket' | 'failing'>,
  nowMs: () => number = () => performance.now(),
): () => string | undefined {
  let ticket = 0;
  let sinceMs = nowMs();
  return () => {
    if (store.failing !== undefined || store.isCommitted(ticket)) {
      ticket = store.lastTicket;
      sinceMs = nowMs();
      return undefined;
    }
    const waitedMs = nowMs() - sinceMs;
    return waitedMs < STUCK_MS ? undefined : `the store has not answered for ${Math.round(waitedMs / 1000)} s`;
  };
}

/** The slowest flash card that is still one. */
const STUCK_MS = 10_000;
