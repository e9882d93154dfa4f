// All records as of one moment, as they lie in the database.

import type { StoreSnapshot } from '../../ports/store.ts';
import type { Engine } from './engine.ts';

/** A scan sees what was there when it was made, whatever is written afterwards. */
export function snapshotOf(engine: Engine): StoreSnapshot {
  const scan = engine.scan(Uint8Array.of(0), Uint8Array.of(0xff));
  return { next: () => scan.next(PAGE), close: () => scan.close() };
}

/** Records at a time; the scan itself bounds their bytes. */
const PAGE = 1_000;
