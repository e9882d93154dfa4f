// The messages owed to one session, in order of their sequence numbers. Owns order and counts; limits are the core's.

import { sizeOf } from '../../ports/message.ts';
import type { QueuedMessage } from '../../ports/store.ts';

export class SessionQueue {
  /** Sorted by seq; what lies before `#head` is gone and is cut off now and then. */
  readonly #entries: (QueuedMessage | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  /** The highest seq ever put in; 0 if none. */
  lastSeq = 0;

  get size(): number {
    return this.#entries.length - this.#head;
  }

  /** Bytes of topics, payloads and properties. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds an entry, or replaces the one with its seq. */
  put(entry: QueuedMessage): void {
    if (entry.seq > this.lastSeq) {
      this.lastSeq = entry.seq;
      this.#entries.push(entry);
    } else {
      const at = this.#firstFrom(entry.seq);
      const known = this.#entries[at];
      const replaces = known !== undefined && known.seq === entry.seq;
      if (replaces) this.#bytes -= bytesOf(known);
      this.#entries.splice(at, replaces ? 1 : 0, entry);
    }
    this.#bytes += bytesOf(entry);
  }

  find(seq: number): QueuedMessage | undefined {
    const entry = this.#entries[this.#firstFrom(seq)];
    return entry?.seq === seq ? entry : undefined;
  }

  remove(seq: number): void {
    const at = this.#firstFrom(seq);
    const entry = this.#entries[at];
    if (entry === undefined || entry.seq !== seq) return;
    this.#bytes -= bytesOf(entry);
    if (at > this.#head) {
      this.#entries.splice(at, 1);
      return;
    }
    this.#entries[at] = undefined;
    this.#head += 1;
    if (this.#head >= CUT && this.#head * 2 >= this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Up to `max` entries with a seq above `afterSeq`. */
  after(afterSeq: number, max: number): QueuedMessage[] {
    const from = this.#firstFrom(afterSeq + 1);
    return this.#entries.slice(from, from + max) as QueuedMessage[];
  }

  #firstFrom(seq: number): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as QueuedMessage).seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function bytesOf({ message }: QueuedMessage): number {
  return message === undefined ? 0 : sizeOf(message);
}

const CUT = 32;
