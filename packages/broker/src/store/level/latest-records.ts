// What waits while the disk takes nothing: of records that say all there is to say of one thing, the latest takes the place of
// the one before it. Clients come and go meanwhile, with wills that are retained, as often as they like, and nothing may pile
// up for that.

import type { StoreRecord, Ticket } from '../../ports/store.ts';
import type { Staged } from './staging.ts';

export class LatestRecords {
  /** By what they are about: bounded by the sessions and by what is retained. */
  readonly #tickets = new Map<string, Ticket>();

  /** Where the record that is to be replaced waits; undefined = none does. */
  find(staged: Staged): Ticket | undefined {
    const subject = subjectOf(staged);
    return subject === undefined || isBound(staged) ? undefined : this.#tickets.get(subject);
  }

  put(staged: Staged, ticket: Ticket): void {
    const subject = subjectOf(staged);
    if (subject === undefined) return;
    if (isBound(staged)) this.#tickets.delete(subject);
    else this.#tickets.set(subject, ticket);
  }

  clear(): void {
    this.#tickets.clear();
  }
}

/** Undefined where each record counts. */
function subjectOf({ record, session }: { record: StoreRecord; session: number }): string | undefined {
  switch (record.kind) {
    case 'session':
      return `session ${session}`;
    case 'will':
    case 'unwill':
      return `will ${session}`;
    case 'retain':
      return `retained ${record.message.topic}`;
    case 'unretain':
      return `retained ${record.topic}`;
    default:
      return undefined;
  }
}

/**
 * True if it must stay where it is, and what comes later behind it: it is committed with others, as a message that PUBREL let
 * go is, or it says something of what stands there before it.
 */
function isBound({ record, group }: Staged): boolean {
  return group !== 0 || (record.kind === 'unretain' && record.expiredAtMs !== undefined);
}
