import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ClassicEngine } from '../../packages/broker/src/store/level/classic-engine.ts';
import type { Scan, Write } from '../../packages/broker/src/store/level/engine.ts';
import { openLevelStore } from '../../packages/broker/src/store/level/open.ts';
import { TornDisk, TornEngine } from '../sim/torn-engine.ts';
import { storeContract } from './store-contract.ts';

const directory = mkdtempSync(join(tmpdir(), 'motte-store-'));
afterAll(() => rmSync(directory, { recursive: true }));
let stores = 0;

/** LevelDB, and how much of what it was asked is not answered yet. */
class CountedEngine extends ClassicEngine {
  underWay = 0;

  override async write(batch: readonly Write[]): Promise<void> {
    this.underWay += 1;
    await super.write(batch).finally(() => (this.underWay -= 1));
  }

  override scan(from: Uint8Array, to: Uint8Array): Scan {
    const scan = super.scan(from, to);
    const next = async (max: number) => {
      this.underWay += 1;
      return scan.next(max).finally(() => (this.underWay -= 1));
    };
    return { ...scan, next };
  }
}

storeContract('level, on LevelDB', async () => {
  let waiting = 0;
  const engine = new CountedEngine(join(directory, String(stores++)));
  const store = await openLevelStore(engine, {
    lingerMs: 2,
    defer: (run) => {
      waiting += 1;
      setImmediate(() => {
        waiting -= 1;
        run();
      });
    },
    after: (ms, run) => void setTimeout(run, ms),
    nowMs: Date.now,
  });
  return {
    store,
    async settle() {
      for (let quiet = 0; quiet < 3; ) {
        await new Promise((resolve) => setImmediate(resolve));
        const isAtRest = store.isCommitted(store.lastTicket) && waiting === 0 && engine.underWay === 0;
        quiet = isAtRest ? quiet + 1 : 0;
      }
    },
  };
});

storeContract('level, on a disk that exists in memory', async () => {
  const deferred: (() => void)[] = [];
  const timers: (() => void)[] = [];
  const defer = (run: () => void): void => void deferred.push(run);
  const settle = async (): Promise<void> => {
    for (let idle = 0; idle < 5; ) {
      const run = deferred.shift() ?? timers.shift();
      if (run === undefined) idle += 1;
      else {
        idle = 0;
        run();
      }
      // Answers of the engine are promises.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  };
  const opening = openLevelStore(new TornEngine(new TornDisk(), { defer, oneIn: () => false }), {
    lingerMs: 5,
    defer,
    after: (_ms, run) => void timers.push(run),
    nowMs: () => 1_000_000,
  });
  await settle();
  return { store: await opening, settle };
});
