// The engine of the program: LevelDB by the package classic-level. Owns the handle and nothing of what the bytes mean.

import { ClassicLevel } from 'classic-level';
import { DamageFault, type Engine, type Entry, type Records, type Scan, type Write } from './engine.ts';
import { inspectFiles } from './files/inspect.ts';
import { rebuildStore } from './files/rebuild.ts';
import { StoredRecords } from './files/stored-records.ts';
import { finishSwap } from './files/swap.ts';

type Bytes = Uint8Array;

export class ClassicEngine implements Engine {
  readonly #path: string;
  readonly #writeBufferBytes: number;
  #db: ClassicLevel<Bytes, Bytes> | undefined;

  constructor(path: string, writeBufferBytes = 0) {
    this.#path = path;
    this.#writeBufferBytes = Math.max(writeBufferBytes, WRITE_BUFFER_BYTES_MIN);
  }

  async check(): Promise<Records> {
    await finishSwap(this.#path);
    const inspection = await inspectFiles(this.#path);
    const { damages } = inspection;
    if (damages.length > 0) throw new DamageFault(damages.map(({ name, why }) => `${name}: ${why}`).join('; '));
    return new StoredRecords(this.#path, inspection);
  }

  async open(): Promise<void> {
    const db = new ClassicLevel<Bytes, Bytes>(this.#path, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      // A record that a fault of the medium hits can be told from its neighbours only if they are not packed together.
      compression: false,
      writeBufferSize: this.#writeBufferBytes,
      maxOpenFiles: OPEN_FILES_MAX,
    });
    try {
      await db.open();
    } catch (fault) {
      throw faultOf(fault);
    }
    this.#db = db;
  }

  async write(batch: readonly Write[]): Promise<void> {
    const chained = this.#open().batch();
    for (const { key, value } of batch) {
      if (value === undefined) chained.del(key);
      else chained.put(key, value);
    }
    try {
      await chained.write({ sync: true });
    } catch (fault) {
      throw faultOf(fault);
    }
  }

  get(key: Bytes): Bytes | undefined {
    try {
      return this.#open().getSync(key);
    } catch (fault) {
      throw faultOf(fault);
    }
  }

  scan(from: Bytes, to: Bytes): Scan {
    const iterator = this.#open().iterator({ gte: from, lt: to, highWaterMarkBytes: SCAN_BYTES });
    return {
      async next(max): Promise<readonly Entry[]> {
        try {
          return await iterator.nextv(max);
        } catch (fault) {
          throw faultOf(fault);
        }
      },
      seek: (key) => iterator.seek(key),
      close: () => iterator.close(),
    };
  }

  async close(): Promise<void> {
    const db = this.#db;
    this.#db = undefined;
    await db?.close();
  }

  repair(): Promise<readonly string[]> {
    return rebuildStore(this.#path, (path) => new ClassicEngine(path, this.#writeBufferBytes), Date.now());
  }

  #open(): ClassicLevel<Bytes, Bytes> {
    if (this.#db === undefined) throw new Error('the store is closed');
    return this.#db;
  }
}

/**
 * What LevelDB says, without what the package wraps it in: an open that failed has LEVEL_DATABASE_NOT_OPEN and the real fault as
 * its cause. Damage has a code of its own; a disk that takes no more is LEVEL_IO_ERROR, as is a file that is not there.
 */
function faultOf(fault: unknown): Error {
  const { code, cause, message } = fault as Error & { code?: string; cause?: Error & { code?: string } };
  const said = (cause?.message ?? message).replace(/^(IO error|Corruption): /, '');
  const isDamage = code === 'LEVEL_CORRUPTION' || cause?.code === 'LEVEL_CORRUPTION';
  return isDamage ? new DamageFault(said, { cause: fault }) : new Error(said, { cause: fault });
}

/** LevelDB's own default. A log as large as the buffer is read back after a crash. */
const WRITE_BUFFER_BYTES_MIN = 4 * 1024 * 1024;
const OPEN_FILES_MAX = 200;
/** Held by one scan at a time. */
const SCAN_BYTES = 256 * 1024;
