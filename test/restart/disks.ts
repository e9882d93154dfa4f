// What a broker is stopped and started on: LevelDB in a directory for one that is told to end, and a disk in memory for one whose
// process dies, of which only what was committed is left.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../packages/broker/src/ports/store.ts';
import { ClassicEngine } from '../../packages/broker/src/store/level/classic-engine.ts';
import type { Engine, Entry, Scan, Write } from '../../packages/broker/src/store/level/engine.ts';
import { openLevelStore } from '../../packages/broker/src/store/level/open.ts';
import { type FakeClock, settle, settleWith, type TestBroker } from '../harness/index.ts';
import { TornDisk, TornEngine } from '../sim/torn-engine.ts';

export interface Disk {
  open(clock: FakeClock): Promise<Store>;
  /** Ends the broker on it in this disk's way. */
  end(broker: TestBroker): Promise<void>;
  remove(): void;
}

/** How a broker ends: `told` by SIGTERM, or `killed` without warning. */
export type Ending = 'told' | 'killed';

export function makeDisk(ending: Ending): Disk {
  return ending === 'told' ? new Directory() : new Memory();
}

class Directory implements Disk {
  readonly #path = mkdtempSync(join(tmpdir(), 'motte-restart-'));
  readonly #engine = new BusyEngine(this.#path);
  readonly #leave = settleWith(() => this.#engine.isBusy);

  open(clock: FakeClock): Promise<Store> {
    return openStore(this.#engine, clock, (run) => void setImmediate(run));
  }

  async end(broker: TestBroker): Promise<void> {
    await settle();
    await broker.stop();
  }

  remove(): void {
    this.#leave();
    rmSync(this.#path, { recursive: true });
  }
}

class Memory implements Disk {
  readonly #disk = new TornDisk();
  #crash: () => void = () => undefined;

  open(clock: FakeClock): Promise<Store> {
    let isDead = false;
    const defer = (run: () => void): void => void setImmediate(() => isDead || run());
    const engine = new TornEngine(this.#disk, { defer, oneIn: () => false });
    this.#crash = () => {
      isDead = true;
      engine.crash();
    };
    return openStore(engine, clock, defer);
  }

  async end(broker: TestBroker): Promise<void> {
    await settle();
    this.#crash();
    broker.abandon();
  }

  remove(): void {
    // It goes with its last reference.
  }
}

/** Without timers of its own: nothing lingers longer than a few turns. */
function openStore(engine: Engine, clock: FakeClock, defer: (run: () => void) => void): Promise<Store> {
  return openLevelStore(engine, { lingerMs: 0, defer, after: (_ms, run) => defer(run), nowMs: () => clock.nowMs() });
}

/** LevelDB of which it is known whether it is at work. */
class BusyEngine extends ClassicEngine {
  #working = 0;

  get isBusy(): boolean {
    return this.#working > 0;
  }

  override write(batch: readonly Write[]): Promise<void> {
    return this.#count(super.write(batch));
  }

  override scan(from: Uint8Array, to: Uint8Array): Scan {
    const scan = super.scan(from, to);
    return {
      next: (max): Promise<readonly Entry[]> => this.#count(scan.next(max)),
      seek: (key) => scan.seek(key),
      close: () => this.#count(scan.close()),
    };
  }

  async #count<T>(work: Promise<T>): Promise<T> {
    this.#working += 1;
    try {
      return await work;
    } finally {
      this.#working -= 1;
    }
  }
}
