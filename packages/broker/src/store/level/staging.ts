// Records on their way to a commit, in the order in which they were staged. A record for a copy whose client has it already
// may linger: if the client acknowledges in time it is struck out and never written. Everything else goes with the
// next commit. Owns order, tickets and lingering; nothing of bytes or of the database.

import type { StoreRecord, Ticket } from '../../ports/store.ts';
import type { RetainedBefore } from './retained-ahead.ts';

/** What the store decided about a record when it was staged. */
export interface Staged {
  readonly record: StoreRecord;
  /** The number of its session at that moment; 0 = it names none, or none that exists. */
  readonly session: number;
  /** True if it may wait for `lingered`. */
  readonly patient: boolean;
  readonly bytes: number;
  /** Records of one number, staged one after the other, go in one commit; 0 = it stands alone. */
  readonly group: number;
  /** What a record of a retained message finds at its topic once all before it is written; undefined = nothing, or it is another. */
  readonly before: RetainedBefore;
}

export class Staging {
  /** Undefined = struck or taken. The ticket of the first is `#first`. */
  #entries: (Staged | undefined)[] = [];
  #first: Ticket = 1;
  /** Before this place there is nothing. */
  #head = 0;
  /** Patient records up to this ticket have lingered long enough. */
  #lingeredUpTo: Ticket = 0;
  /** Copies that wait and do not linger, by session: what lingers in front of them must not be left behind. */
  readonly #urgentCopies = new Map<number, number>();
  #waiting = 0;
  #patient = 0;
  #bytes = 0;

  /** The highest ticket ever given. */
  get last(): Ticket {
    return this.#first + this.#entries.length - 1;
  }

  /** Records that wait. */
  get size(): number {
    return this.#waiting;
  }

  /** Of these, how many linger. */
  get patient(): number {
    return this.#patient;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The lowest ticket that waits here; `last` + 1 if none does. */
  get lowest(): Ticket {
    return this.#first + this.#head;
  }

  add(staged: Staged): Ticket {
    this.#entries.push(staged);
    this.#waiting += 1;
    this.#bytes += staged.bytes;
    if (staged.patient) this.#patient += 1;
    this.#countCopy(staged, 1);
    return this.last;
  }

  /** Puts a record in the place of one that waits, in its commit; false if that is gone from here. */
  replace(ticket: Ticket, { record, bytes }: Staged): boolean {
    const place = ticket - this.#first;
    const staged = place < this.#head ? undefined : this.#entries[place];
    if (staged === undefined) return false;
    this.#entries[place] = { ...staged, record, bytes };
    this.#bytes += bytes - staged.bytes;
    return true;
  }

  /** Takes a record back; undefined if it is gone from here, written or about to be. */
  strike(ticket: Ticket): Staged | undefined {
    const place = ticket - this.#first;
    const staged = place < this.#head ? undefined : this.#entries[place];
    if (staged === undefined) return undefined;
    this.#remove(place, staged);
    this.#advance();
    return staged;
  }

  /** What waits with a ticket up to this one has lingered long enough. */
  lingered(upTo: Ticket): void {
    this.#lingeredUpTo = upTo;
  }

  /** Moves the next records of a commit to `into`, about as many as said; gives the lowest ticket, 0 if there are none. */
  take(into: Staged[], { recordsMax, bytesMax }: { recordsMax: number; bytesMax: number }): Ticket {
    let bytes = 0;
    let lowest = 0;
    let group = 0;
    for (let place = this.#head; place < this.#entries.length; place++) {
      const staged = this.#entries[place];
      if (staged === undefined) continue;
      const isFull = into.length >= recordsMax || bytes >= bytesMax;
      if (isFull && (staged.group === 0 || staged.group !== group)) break;
      group = staged.group;
      const ticket = this.#first + place;
      const mayLinger = ticket > this.#lingeredUpTo && !this.#urgentCopies.has(staged.session);
      if (staged.patient && mayLinger) continue;
      into.push(staged);
      bytes += staged.bytes;
      if (lowest === 0) lowest = ticket;
      this.#remove(place, staged);
    }
    this.#advance();
    return lowest;
  }

  /** What waits, in order. */
  *[Symbol.iterator](): Generator<Staged> {
    for (let place = this.#head; place < this.#entries.length; place++) {
      const staged = this.#entries[place];
      if (staged !== undefined) yield staged;
    }
  }

  #remove(place: number, staged: Staged): void {
    this.#entries[place] = undefined;
    this.#waiting -= 1;
    this.#bytes -= staged.bytes;
    if (staged.patient) this.#patient -= 1;
    this.#countCopy(staged, -1);
  }

  /** The queue of a session is committed in its order [MQTT-4.6.0-6]. */
  #countCopy({ record, session, patient }: Staged, change: 1 | -1): void {
    if (patient || record.kind !== 'queue') return;
    const count = (this.#urgentCopies.get(session) ?? 0) + change;
    if (count === 0) this.#urgentCopies.delete(session);
    else this.#urgentCopies.set(session, count);
  }

  #advance(): void {
    while (this.#head < this.#entries.length && this.#entries[this.#head] === undefined) this.#head += 1;
    if (this.#head < CUT || this.#head * 2 < this.#entries.length) return;
    this.#entries.splice(0, this.#head);
    this.#first += this.#head;
    this.#head = 0;
  }
}

const CUT = 256;
