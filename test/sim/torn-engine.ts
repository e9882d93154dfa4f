// An engine whose disk can be torn away at any moment: what was synced stays, what was being written stays whole or not at all,
// as a seeded chance decides. Answers come when the owner of `defer` lets them.

import type { Engine, Entry, Scan, Write } from '../../packages/broker/src/store/level/engine.ts';

export interface TornEngineOptions {
  readonly defer: (run: () => void) => void;
  /** Decides whether a write that a crash meets half-way is on the disk afterwards. */
  readonly oneIn: (n: number) => boolean;
}

/** The disk under one or more engines, one at a time. */
export class TornDisk {
  /** By the key as characters, one a byte: their order is that of the bytes. */
  entries = new Map<string, Uint8Array>();
  /** What the disk says to the next writes; undefined = it takes them. */
  fault: Error | undefined = undefined;
  /** Writes that were made durable. */
  syncs = 0;
}

export class TornEngine implements Engine {
  readonly #disk: TornDisk;
  readonly #options: TornEngineOptions;
  #isOpen = false;
  #isCrashed = false;
  /** Written and not answered yet. */
  readonly #underWay: (readonly Write[])[] = [];
  #sorted: string[] | undefined = undefined;

  constructor(disk: TornDisk, options: TornEngineOptions) {
    this.#disk = disk;
    this.#options = options;
  }

  check(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  open(): Promise<void> {
    this.#isOpen = true;
    return Promise.resolve();
  }

  write(batch: readonly Write[]): Promise<void> {
    const copy = batch.map(({ key, value }) => ({ key: key.slice(), value: value?.slice() }));
    this.#underWay.push(copy);
    return new Promise((resolve, reject) => {
      this.#options.defer(() => {
        if (this.#isCrashed) return;
        this.#underWay.shift();
        const { fault } = this.#disk;
        if (fault !== undefined) {
          // Nobody knows whether a write that failed is there.
          if (this.#options.oneIn(2)) this.#apply(copy);
          reject(fault);
          return;
        }
        this.#apply(copy);
        this.#disk.syncs += 1;
        resolve();
      });
    });
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#check();
    return this.#disk.entries.get(nameOf(key))?.slice();
  }

  scan(from: Uint8Array, to: Uint8Array): Scan {
    this.#check();
    this.#sorted ??= [...this.#disk.entries.keys()].sort();
    const names = this.#sorted;
    const values = new Map(this.#disk.entries);
    const end = lowerBound(names, nameOf(to));
    const start = lowerBound(names, nameOf(from));
    let at = start;
    return {
      next: (max) =>
        new Promise((resolve) => {
          this.#options.defer(() => {
            if (this.#isCrashed) return;
            const page = names.slice(at, Math.min(end, at + max));
            at += page.length;
            resolve(page.map((name): Entry => [keyOf(name), values.get(name)?.slice() as Uint8Array]));
          });
        }),
      seek: (key) => {
        at = Math.max(start, lowerBound(names, nameOf(key)));
      },
      close: () => Promise.resolve(),
    };
  }

  close(): Promise<void> {
    this.#isOpen = false;
    return Promise.resolve();
  }

  repair(): Promise<readonly string[]> {
    return Promise.reject(new Error('nothing here is ever damaged by itself'));
  }

  /** The process dies: nothing is answered any more, and of the writes under way the first ones may be on the disk. */
  crash(): void {
    this.#isCrashed = true;
    this.#isOpen = false;
    for (const batch of this.#underWay) {
      if (this.#options.oneIn(2)) return;
      this.#apply(batch);
    }
  }

  #apply(batch: readonly Write[]): void {
    const { entries } = this.#disk;
    this.#sorted = undefined;
    for (const { key, value } of batch) {
      if (value === undefined) entries.delete(nameOf(key));
      else entries.set(nameOf(key), value);
    }
  }

  #check(): void {
    if (!this.#isOpen) throw new Error('the engine is closed');
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

function keyOf(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(name, 'latin1'));
}

function lowerBound(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] as string) < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
