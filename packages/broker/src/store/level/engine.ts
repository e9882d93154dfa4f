// What the durable store asks of the database under it: ordered keys, batches that are written whole or not at all, and
// reading. Small enough that a simulation can stand in for it and tear it down in the middle of a write.

/** One write; without a value the key is removed. */
export interface Write {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

export type Entry = readonly [key: Uint8Array, value: Uint8Array];

/** Walks keys in the order of their bytes, as of the moment it was made. */
export interface Walk {
  /** Up to `max` entries; none = the end. What they refer to may be part of more: who keeps bytes copies them. */
  next(max: number): Promise<readonly Entry[]>;
  close(): Promise<void>;
}

export interface Scan extends Walk {
  /** Goes on at the first key at or behind this one. */
  seek(key: Uint8Array): void;
}

export interface Records {
  /** Keys from `from` to before `to`. */
  scan(from: Uint8Array, to: Uint8Array): Walk;
}

export interface Engine extends Records {
  /**
   * Before it is opened: throws DamageFault if its files are not whole, FormatFault if they are not ours. Changes nothing. Gives
   * what is in the files, to be read until it is opened; undefined = it is read once it is open.
   */
  check(): Promise<Records | undefined>;
  /** Opens the database, makes it if there is none; again after `close`. */
  open(): Promise<void>;
  /** Durable once it answers: a crash leaves all of it or nothing. After a fault nobody knows which. */
  write(batch: readonly Write[]): Promise<void>;
  /** What was written last; for what is asked on the way of a message. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Keys from `from` to before `to`. */
  scan(from: Uint8Array, to: Uint8Array): Scan;
  close(): Promise<void>;
  /** While it is closed: makes a whole database of what is provably as it was written, keeps the rest beside it, says what it was. */
  repair(): Promise<readonly string[]>;
}

/** Files of the store are not what was written. */
export class DamageFault extends Error {
  override readonly name = 'DamageFault';
}
