// Questions to the store about a session that are under way. Whoever begins a session of the same key meanwhile overtakes
// them: what the store knew when it was asked is not what holds when it answers.

/** One question; `overtaken` once a session of its key has begun. */
export interface Opening {
  readonly key: string;
  overtaken: boolean;
}

/** Bounded by the connections: each asks one question at a time. */
export class Openings {
  readonly #byKey = new Map<string, Set<Opening>>();

  begin(key: string): Opening {
    const opening = { key, overtaken: false };
    const same = this.#byKey.get(key);
    if (same === undefined) this.#byKey.set(key, new Set([opening]));
    else same.add(opening);
    return opening;
  }

  end(opening: Opening): void {
    const same = this.#byKey.get(opening.key);
    if (same?.delete(opening) === true && same.size === 0) this.#byKey.delete(opening.key);
  }

  overtake(key: string): void {
    for (const opening of this.#byKey.get(key) ?? []) opening.overtaken = true;
  }
}
