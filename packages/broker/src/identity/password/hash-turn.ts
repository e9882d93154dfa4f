// Whose turn it is to hash. libuv's threads belong to the whole process, and the store's commits need them: whatever is made
// expensive on purpose (argon2, PBKDF2) holds at most one of them, for logins and administrators together.

let last: Promise<unknown> = Promise.resolve();

/** Runs `work` when everything that asked before it is done. */
export function inHashTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = last.then(work);
  last = done.catch(() => undefined);
  return done;
}
