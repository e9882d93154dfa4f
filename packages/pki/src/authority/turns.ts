// One thing at a time: whatever writes waits for what came before it.

import { AuthorityFault } from '../protocol/faults.ts';

export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #isEnding = false;

  /** Runs `work` when all before it is done, however that went; MOT-0421 once it was ended. */
  take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isEnding) return Promise.reject(new AuthorityFault('MOT-0421', 'it is ending'));
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** No more are taken; resolves when the last one is done. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#last;
  }
}
