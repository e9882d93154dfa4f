// What a queue owes at one moment: what the database had of it then, and what was on its way there.

import type { QueuedMessage, StoreRecord } from '../../ports/store.ts';

/** Copies that still have their message, in order. `unwritten`: the session's records that `committed` may lack or have. */
export function owedOf(
  committed: readonly QueuedMessage[],
  unwritten: readonly StoreRecord[],
): readonly QueuedMessage[] {
  const owed = new Map<number, QueuedMessage>();
  for (const copy of committed) if (copy.message !== undefined) owed.set(copy.seq, copy);
  for (const record of unwritten) {
    if (record.kind === 'queue') owed.set(record.entry.seq, record.entry);
    else if (record.kind === 'dequeue' || record.kind === 'released') owed.delete(record.seq);
  }
  return [...owed.values()].sort((one, other) => one.seq - other.seq);
}
