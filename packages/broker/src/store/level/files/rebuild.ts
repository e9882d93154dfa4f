// Makes a whole store of a damaged one: a new database from every record that is provably what was written, the newest of each
// key. LevelDB's own repair is not used: it takes records whose checksum is wrong, and may prefer an older version of one.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sizeOf } from '../../../ports/message.ts';
import { DamageFault, type Engine, type Write } from '../engine.ts';
import { FORMAT_KEY, FORMAT_VALUE } from '../format.ts';
import { KEY } from '../keys.ts';
import { decodeMessage } from '../records.ts';
import { encodeTotals, TOTALS_KEY } from '../retained-totals.ts';
import { DamagedRecord, seal, unseal } from '../seal.ts';
import { entriesOfLog, isSealed } from './batch-records.ts';
import { type Inspection, inspectFiles } from './inspect.ts';
import type { LevelFile } from './manifest.ts';
import { lostPath, rebuiltPath, swapIn } from './swap.ts';
import { readTable, type TableEntry } from './table-file.ts';

/** Rebuilds the store in place; `makeEngine` opens a database at another path. Gives what an operator has to know. */
export async function rebuildStore(
  path: string,
  makeEngine: (path: string) => Engine,
  nowMs: number,
): Promise<readonly string[]> {
  const inspection = await inspectFiles(path);
  const newest = await findNewest(path, inspection);
  const engine = makeEngine(rebuiltPath(path));
  await engine.open();
  try {
    await copyNewest(path, inspection, newest, engine);
  } finally {
    await engine.close();
  }
  const { damages, files } = inspection;
  const kept = damages.map(({ name }) => name).filter((name) => files.some((file) => file.name === name));
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
  await swapIn(path, kept, stamp);
  return damages.map(({ name, why }) =>
    kept.includes(name)
      ? `${name}: ${why}; it is kept as ${join(lostPath(path), `${stamp}-${name}`)}`
      : `${name}: ${why}`,
  );
}

interface Newest {
  sequence: number;
  isRemoval: boolean;
}

/** By key, a character for each byte. */
type NewestByKey = ReadonlyMap<string, Newest>;

async function findNewest(path: string, { used }: Inspection): Promise<NewestByKey> {
  const newest = new Map<string, Newest>();
  let isOurs = false;
  for (const file of used) {
    for (const { key, sequence, isRemoval, value } of await entriesOf(path, file)) {
      isOurs ||= Buffer.compare(key, FORMAT_KEY) === 0 || isSealed(key, value);
      const name = nameOf(key);
      const known = newest.get(name);
      if (known === undefined) newest.set(name, { sequence, isRemoval });
      else if (sequence > known.sequence) {
        known.sequence = sequence;
        known.isRemoval = isRemoval;
      }
    }
  }
  if (!isOurs) throw new DamageFault('nothing in its files can be recognised as a record of Motte');
  return newest;
}

async function copyNewest(path: string, { used }: Inspection, newest: NewestByKey, engine: Engine): Promise<void> {
  const totals = { messages: 0, bytes: 0 };
  let writes: Write[] = [{ key: FORMAT_KEY, value: FORMAT_VALUE }];
  let bytes = 0;
  for (const file of used) {
    for (const { key, sequence, isRemoval, value } of await entriesOf(path, file)) {
      const wanted = newest.get(nameOf(key));
      if (isRemoval || wanted?.sequence !== sequence || wanted.isRemoval || Buffer.compare(key, FORMAT_KEY) === 0)
        continue;
      // A log and the table that was made of it may both be in use.
      wanted.isRemoval = true;
      if (key[0] === KEY.retained) countRetained(key, value, totals);
      writes.push({ key, value });
      bytes += key.length + value.length;
      if (bytes < BATCH_BYTES) continue;
      await engine.write(writes);
      writes = [];
      bytes = 0;
    }
  }
  writes.push({ key: TOTALS_KEY, value: seal(TOTALS_KEY, encodeTotals(totals)) });
  await engine.write(writes);
}

function countRetained(key: Uint8Array, value: Uint8Array, totals: { messages: number; bytes: number }): void {
  try {
    totals.bytes += sizeOf(decodeMessage(unseal(key, value)));
    totals.messages += 1;
  } catch (fault) {
    // It is set apart when it is met.
    if (!(fault instanceof DamagedRecord)) throw fault;
  }
}

async function entriesOf(path: string, { name, kind }: LevelFile): Promise<Iterable<TableEntry>> {
  const file = await readFile(join(path, name));
  return kind === 'log' ? entriesOfLog(file) : readTable(file).entries;
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

const BATCH_BYTES = 1024 * 1024;
