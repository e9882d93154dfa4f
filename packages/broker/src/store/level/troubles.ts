// What the store has to tell an operator, kept until somebody listens: most damage is met while it is opened.

import type { StoreTrouble } from '../../ports/store.ts';

export class Troubles {
  #waiting: StoreTrouble[] = [];
  #listener: ((trouble: StoreTrouble) => void) | undefined = undefined;

  tell(trouble: StoreTrouble): void {
    if (this.#listener !== undefined) this.#listener(trouble);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(trouble);
  }

  listen(listener: (trouble: StoreTrouble) => void): void {
    this.#listener = listener;
    for (const trouble of this.#waiting) listener(trouble);
    this.#waiting = [];
  }
}

const WAITING_MAX = 1_000;
