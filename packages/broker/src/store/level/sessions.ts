// Which sessions the database holds, and the number of each. Numbers are never given twice, so that whatever a session that
// ended left behind can be told from what a new one of the same key has.

export class SessionNumbers {
  readonly #byKey = new Map<string, number>();
  readonly #alive = new Set<number>();
  /** Whose end is committed, with records left to sweep. */
  readonly ended = new Set<number>();
  #last = 0;

  get size(): number {
    return this.#byKey.size;
  }

  find(key: string): number | undefined {
    return this.#byKey.get(key);
  }

  isAlive(number: number): boolean {
    return this.#alive.has(number);
  }

  /** The number of the key's session, a new one if it has none. */
  of(key: string): number {
    return this.#byKey.get(key) ?? this.put(key, this.#last + 1);
  }

  /** One that was found in the database. */
  put(key: string, number: number): number {
    this.#byKey.set(key, number);
    this.#alive.add(number);
    this.#last = Math.max(this.#last, number);
    return number;
  }

  /** A session that is no more was found to have left something behind. */
  left(number: number): void {
    this.#last = Math.max(this.#last, number);
    this.ended.add(number);
  }

  /** Nothing is written for it from now on but its end. */
  end(key: string): void {
    const number = this.#byKey.get(key);
    if (number === undefined) return;
    this.#byKey.delete(key);
    this.#alive.delete(number);
  }
}
