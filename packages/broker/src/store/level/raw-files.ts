// The store's files without a broker: read whole for a backup of a stopped one, written anew for a restore. Records are
// copied as they lie there; whether one is what was written its own seal says.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RawRecord, StoreSnapshot } from '../../ports/store.ts';
import { ClassicEngine } from './classic-engine.ts';
import { assertFormat, FORMAT_KEY, FormatFault } from './format.ts';
import { KEY } from './keys.ts';
import { TOTALS_KEY } from './retained-totals.ts';
import { DamagedRecord, unseal } from './seal.ts';
import { snapshotOf } from './snapshot.ts';

/** Everything in the files of a stopped store; undefined = there are none. Throws FormatFault, DamageFault, or what the disk says. */
export async function readStoreFiles(path: string): Promise<StoreSnapshot | undefined> {
  const engine = new ClassicEngine(path);
  // A store that lost its CURRENT is damaged, and not none.
  await engine.check();
  // Opening a database would make one.
  if (!existsSync(join(path, 'CURRENT'))) return undefined;
  try {
    await engine.open();
    const format = engine.get(FORMAT_KEY);
    if (format === undefined) throw new FormatFault('it holds the data of another program');
    assertFormat(format);
    const { next, close } = snapshotOf(engine);
    return {
      next,
      close: async () => {
        await close();
        await engine.close();
      },
    };
  } catch (fault) {
    await engine.close();
    throw fault;
  }
}

export interface StoreFiles {
  /** Durable once it answers. */
  write(records: readonly RawRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Makes a store in a directory that has none. */
export async function createStoreFiles(path: string): Promise<StoreFiles> {
  const engine = new ClassicEngine(path);
  await engine.open();
  return {
    write: (records) => engine.write(records.map(([key, value]) => ({ key, value }))),
    close: () => engine.close(),
  };
}

/** What a record counts as, for people. */
export type RecordKind = 'session' | 'queued' | 'retained' | 'other';

export function recordKind([key]: RawRecord): RecordKind {
  if (key[0] === KEY.session) return 'session';
  if (key[0] === KEY.queue) return 'queued';
  return key[0] === KEY.retained ? 'retained' : 'other';
}

/** Why a record is not what was written; undefined = it is. Throws FormatFault where the format stands and is not ours. */
export function checkRecord([key, value]: RawRecord): string | undefined {
  // What was set apart as damaged is kept as it was found.
  if (key[0] === KEY.quarantined) return undefined;
  if (key[0] === KEY.meta && !equal(key, TOTALS_KEY)) {
    if (equal(key, FORMAT_KEY)) assertFormat(value);
    return undefined;
  }
  try {
    unseal(key, value);
    return undefined;
  } catch (fault) {
    if (!(fault instanceof DamagedRecord)) throw fault;
    return fault.message;
  }
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
