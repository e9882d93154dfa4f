// Logins that wait to be hashed, one at a time: two lanes, each served source by source, so that whoever sends many waits
// behind himself. Sources that logged in with this name before have a lane of their own: strangers do not delay them.

import type { Clock } from '../../ports/clock.ts';
import { inHashTurn } from './hash-turn.ts';

export type LaneName = 'known' | 'new';

/** Why a login was not looked at. */
export type Unserved = 'full' | 'late';

export interface LoginQueueParts {
  readonly clock: Clock;
  /** Logins that may wait, in both lanes together; each lane has one half. */
  readonly waitingMax: number;
  readonly waitingPerSourceMax: number;
  /** Whoever waited longer is not hashed any more: nobody waits for the answer. */
  readonly deadlineMs: number;
}

export class LoginQueue {
  readonly #parts: LoginQueueParts;
  readonly #lanes: Readonly<Record<LaneName, Lane>> = { known: new Lane(), new: new Lane() };
  #isServing = false;
  #next: LaneName = 'known';

  constructor(parts: LoginQueueParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#lanes.known.size + this.#lanes.new.size;
  }

  /** What `work` answers once it had its turn. */
  run<T>(lane: LaneName, source: string, work: () => Promise<T>): Promise<T | Unserved> {
    const { clock, waitingMax, waitingPerSourceMax, deadlineMs } = this.#parts;
    const wanted = this.#lanes[lane];
    if (wanted.size >= Math.max(1, waitingMax >> 1) || wanted.of(source) >= waitingPerSourceMax) {
      return Promise.resolve('full');
    }
    const lateMs = clock.monotonicMs() + deadlineMs;
    return new Promise((resolve, reject) => {
      wanted.add(source, () => {
        if (clock.monotonicMs() <= lateMs) return inHashTurn(work).then(resolve, reject);
        resolve('late');
        return undefined;
      });
      if (!this.#isServing) void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    for (let job = this.#take(); job !== undefined; job = this.#take()) await job();
    this.#isServing = false;
  }

  /** The lanes take turns while both have somebody. */
  #take(): Job | undefined {
    const first = this.#next;
    const other = first === 'known' ? 'new' : 'known';
    this.#next = other;
    return this.#lanes[first].take() ?? this.#lanes[other].take();
  }
}

type Job = () => Promise<void> | undefined;

/** Jobs by source; the source that was served last is served again after all others. */
class Lane {
  readonly #bySource = new Map<string, Job[]>();
  size = 0;

  of(source: string): number {
    return this.#bySource.get(source)?.length ?? 0;
  }

  add(source: string, job: Job): void {
    this.size += 1;
    const jobs = this.#bySource.get(source);
    if (jobs === undefined) this.#bySource.set(source, [job]);
    else jobs.push(job);
  }

  take(): Job | undefined {
    const [first] = this.#bySource;
    if (first === undefined) return undefined;
    const [source, jobs] = first;
    const job = jobs.shift();
    this.size -= 1;
    this.#bySource.delete(source);
    if (jobs.length > 0) this.#bySource.set(source, jobs);
    return job;
  }
}
