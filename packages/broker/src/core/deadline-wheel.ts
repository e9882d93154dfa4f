// Coarse deadlines shared by everything that waits: keep-alive, session expiry, will delay, CONNECT. Owns a timing wheel;
// has no clock and no timer, someone calls `advance`. Setting and cancelling cost the same however many wait.
//
// What moves often does not move its deadline: a client notes when it last read, and when its keep-alive deadline comes
// it looks at that note and sets itself again.

/** One thing that can come due; made once by its owner and set as often as needed. */
export class Deadline {
  /** When it comes due, in ms of whatever clock drives `advance`; meaningful while set. */
  dueMs = 0;
  /** Called once when due; it may set or cancel any deadline, itself included. */
  readonly expire: (nowMs: number) => void;
  /** Kept by the wheel alone: the bucket and the place in it, or one of the marks below. */
  bucket = IDLE;
  index = 0;

  constructor(expire: (nowMs: number) => void) {
    this.expire = expire;
  }

  get isSet(): boolean {
    return this.bucket !== IDLE;
  }
}

export interface DeadlineWheelOptions {
  /** How coarse: a deadline is never early and at most this much late, if `advance` is called that often. */
  readonly granularityMs: number;
  readonly nowMs: number;
  /** Buckets of the wheel; what lies further ahead than all of them is looked at once per turn of the wheel. */
  readonly buckets?: number;
}

export class DeadlineWheel {
  readonly granularityMs: number;
  readonly #buckets: Deadline[][];
  /** The last tick that was worked through. */
  #tick: number;
  #size = 0;
  #due: Deadline[] = [];

  constructor(options: DeadlineWheelOptions) {
    this.granularityMs = options.granularityMs;
    this.#buckets = Array.from({ length: options.buckets ?? BUCKETS }, () => []);
    this.#tick = Math.floor(options.nowMs / options.granularityMs);
  }

  /** Number of deadlines that wait. */
  get size(): number {
    return this.#size;
  }

  /** Sets the deadline, or moves it if it was set; a time in the past comes due at the next tick, infinity never. */
  set(deadline: Deadline, dueMs: number): void {
    this.cancel(deadline);
    if (!Number.isFinite(dueMs)) return;
    deadline.dueMs = dueMs;
    const tick = Math.max(Math.ceil(dueMs / this.granularityMs), this.#tick + 1);
    deadline.bucket = tick % this.#buckets.length;
    const bucket = this.#buckets[deadline.bucket] as Deadline[];
    deadline.index = bucket.length;
    bucket.push(deadline);
    this.#size += 1;
  }

  /** Takes the deadline back; nothing happens if it is not set. */
  cancel(deadline: Deadline): void {
    if (deadline.bucket >= 0) this.#take(deadline, this.#buckets[deadline.bucket] as Deadline[]);
    deadline.bucket = IDLE;
  }

  /** Lets everything come due that is due at `nowMs`, the earliest first, and returns how many did; a clock that went back does nothing. */
  advance(nowMs: number): number {
    const target = Math.floor(nowMs / this.granularityMs);
    const count = this.#buckets.length;
    if (target <= this.#tick) return 0;
    const from = Math.max(this.#tick + 1, target - count + 1);
    this.#tick = target;
    const due = this.#due;
    // A deadline that advances the wheel itself would find its list in use; it gets one of its own.
    this.#due = [];
    for (let tick = from; tick <= target; tick++) this.#collect(this.#buckets[tick % count] as Deadline[], nowMs, due);
    // Buckets were emptied from their ends: turned round, equals keep the order in which they were set.
    if (due.length > 1) due.reverse().sort(byDue);
    let fired = 0;
    let at = 0;
    try {
      for (; at < due.length; at++) {
        const deadline = due[at] as Deadline;
        // An earlier one may have cancelled it or set it anew.
        if (deadline.bucket !== DUE) continue;
        deadline.bucket = IDLE;
        fired += 1;
        deadline.expire(nowMs);
      }
    } finally {
      // One that throws does not take the others with it: they come due at the next tick.
      for (at += 1; at < due.length; at++) {
        const deadline = due[at] as Deadline;
        if (deadline.bucket === DUE) this.set(deadline, deadline.dueMs);
      }
      due.length = 0;
      this.#due = due;
    }
    return fired;
  }

  #collect(bucket: Deadline[], nowMs: number, due: Deadline[]): void {
    for (let i = bucket.length - 1; i >= 0; i--) {
      const deadline = bucket[i] as Deadline;
      if (deadline.dueMs > nowMs) continue;
      this.#take(deadline, bucket);
      deadline.bucket = DUE;
      due.push(deadline);
    }
  }

  #take(deadline: Deadline, bucket: Deadline[]): void {
    const last = bucket.pop() as Deadline;
    if (last !== deadline) {
      bucket[deadline.index] = last;
      last.index = deadline.index;
    }
    this.#size -= 1;
  }
}

function byDue(a: Deadline, b: Deadline): number {
  return a.dueMs - b.dueMs;
}

const BUCKETS = 512;
const IDLE = -1;
/** Taken out of its bucket and about to be called. */
const DUE = -2;
