// Time and chance as the core sees them: passed in, so that a test or a simulation owns both.

export interface Clock {
  /** Wall-clock time in milliseconds since 1970, for what survives a restart (expiry, wills, records). */
  nowMs(): number;
  /** Milliseconds that never go backwards, for deadlines within one process. */
  monotonicMs(): number;
}

export interface Random {
  /** A string of `length` characters from [0-9A-Za-z], unpredictable to peers. */
  token(length: number): string;
  /** An unsigned 32-bit number, unpredictable to peers. */
  uint32(): number;
}
