// Answers of the store: each in a later turn, in whatever way it goes, and with a fault once the store is closed.

export type Answer<T> = (answer: T, fault?: Error) => void;

export class Answers {
  readonly #defer: (run: () => void) => void;
  #isClosed = false;

  /** `defer` runs a function in a later turn. */
  constructor(defer: (run: () => void) => void) {
    this.#defer = defer;
  }

  /** From now on nothing is looked up any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Where nothing needs to be looked up. */
  giveAtOnce(tell: () => void): void {
    this.#defer(tell);
  }

  give<T>(ask: () => Promise<T | undefined>, tell: Answer<T | undefined>): void {
    this.#defer(() => {
      if (this.#isClosed) {
        tell(undefined, new Error('the store is closed'));
        return;
      }
      ask().then(
        (answer) => tell(answer),
        (fault: Error) => tell(undefined, fault),
      );
    });
  }
}
