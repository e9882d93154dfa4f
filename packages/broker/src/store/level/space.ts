// Whether the disk still has room to spare. LevelDB that meets a full disk in the middle of its work can do nothing at all; kept
// some way from it, it can still write what removes records and what was taken already.

export interface Space {
  /** Why nothing new shall be stored; undefined = there is room. */
  readonly shortage: string | undefined;
  /** The listener is called when that changes. */
  onChange(listener: () => void): void;
}

export interface SpaceOptions {
  /** Below that nothing new is stored. */
  readonly freeBytesMin: number;
  /** Bytes that are free now; a fault says nothing and changes nothing. */
  readonly look: () => Promise<number>;
  /** Runs a function after a time; `setTimeout` in the program. */
  readonly after: (ms: number, run: () => void) => void;
}

/** Looks about once a second for as long as timers run; the first answer comes before it is returned. */
export async function watchSpace(options: SpaceOptions): Promise<Space> {
  const space = new WatchedSpace(options);
  await space.look();
  return space;
}

class WatchedSpace implements Space {
  shortage: string | undefined = undefined;
  readonly #options: SpaceOptions;
  #listener: () => void = () => undefined;

  constructor(options: SpaceOptions) {
    this.#options = options;
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  async look(): Promise<void> {
    const { freeBytesMin, look, after } = this.#options;
    try {
      const freeBytes = await look();
      // Ending it takes a little more than beginning it, so that it does not flutter.
      const wanted = this.shortage === undefined ? freeBytesMin : freeBytesMin * RECOVERED_FROM;
      this.#set(freeBytes >= wanted ? undefined : `the disk of the store has ${mebibytes(freeBytes)} MiB left`);
    } catch {
      // Whoever writes will be told what is wrong with the disk.
    }
    after(LOOK_MS, () => void this.look());
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
const RECOVERED_FROM = 1.05;
