// Whether the disk still has room to spare. LevelDB that meets a full disk in the middle of its work can do nothing at all; kept
// some way from it, it can still write what removes records and what was taken already.

export interface Space {
  /** Why nothing new shall be stored; undefined = there is room. */
  readonly shortage: string | undefined;
  /** The listener is called when that changes. */
  onChange(listener: () => void): void;
  /** So many bytes went to the disk. */
  wrote(bytes: number): void;
}

export interface SpaceOptions {
  /** Below that nothing new is stored. */
  readonly freeBytesMin: number;
  /** Bytes that are free now; a fault says nothing and changes nothing. */
  readonly look: () => Promise<number>;
  /** Runs a function after a time; `setTimeout` in the program. */
  readonly after: (ms: number, run: () => void) => void;
}

/**
 * Looks about once a second for as long as timers run, and sooner when much is written: a burst that takes all that is kept free in
 * less than a second is stopped as well. The first answer comes before it is returned.
 */
export async function watchSpace(options: SpaceOptions): Promise<Space> {
  const space = new WatchedSpace(options);
  await space.watch();
  return space;
}

class WatchedSpace implements Space {
  shortage: string | undefined = undefined;
  readonly #options: SpaceOptions;
  #listener: () => void = () => undefined;
  #looking: Promise<void> | undefined = undefined;
  /** Since the last look. */
  #writtenBytes = 0;

  constructor(options: SpaceOptions) {
    this.#options = options;
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  wrote(bytes: number): void {
    this.#writtenBytes += bytes;
    if (this.#writtenBytes > this.#options.freeBytesMin / LOOKS_IN_WHAT_IS_KEPT) void this.#look();
  }

  async watch(): Promise<void> {
    await this.#look();
    this.#options.after(LOOK_MS, () => void this.watch());
  }

  #look(): Promise<void> {
    this.#looking ??= this.#ask().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #ask(): Promise<void> {
    const { freeBytesMin, look } = this.#options;
    this.#writtenBytes = 0;
    try {
      const freeBytes = await look();
      // Ending it takes a little more than beginning it, so that it does not flutter.
      const wanted = this.shortage === undefined ? freeBytesMin : freeBytesMin * RECOVERED_FROM;
      this.#set(freeBytes >= wanted ? undefined : `the disk of the store has ${mebibytes(freeBytes)} MiB left`);
    } catch {
      // Whoever writes will be told what is wrong with the disk.
    }
  }

  #set(shortage: string | undefined): void {
    const changed = (shortage === undefined) !== (this.shortage === undefined);
    this.shortage = shortage;
    if (changed) this.#listener();
  }
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / (1024 * 1024));
}

const LOOK_MS = 1_000;
/** It is looked at so often while as much is written as is kept free. */
const LOOKS_IN_WHAT_IS_KEPT = 16;
const RECOVERED_FROM = 1.05;
