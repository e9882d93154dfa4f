// How much memory the broker may use where the configuration does not say: half of what the machine has, or of what its control
// group may take if that is less; and how much of it the store gathers writes in. Reads the kernel's own files; decides
// nothing else.

import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { MotteConfig } from '../config/config.ts';

/** Gives the text of a file, undefined if it cannot be read. */
export type ReadText = (path: string) => string | undefined;

/** The configuration with a memory budget of the machine's where it has none of its own, and the store's part of it. */
export function withMemoryBudget(config: MotteConfig): MotteConfig {
  const memoryBytesMax = config.limits.memoryBytesMax || memoryBudget(readText, totalmem());
  const writeBufferBytes = config.store.writeBufferBytes || writeBuffer(memoryBytesMax);
  return {
    ...config,
    limits: { ...config.limits, memoryBytesMax },
    store: { ...config.store, writeBufferBytes },
  };
}

/** Two of them may be full at once, and a log of one is read back after a crash. */
export function writeBuffer(memoryBytesMax: number): number {
  return Math.min(Math.floor(memoryBytesMax / 16), WRITE_BUFFER_BYTES);
}

/** Half of the least that the machine and the control groups of this process allow, in bytes. */
export function memoryBudget(read: ReadText, totalBytes: number): number {
  const limits = controlGroupFiles(read(OWN_GROUPS) ?? '').map((path) => bytesIn(read(path)));
  return Math.floor(Math.min(totalBytes, ...limits) / 2);
}

/** Where the limits of a process may stand: those of its groups, and of all groups that these are in. */
function controlGroupFiles(ownGroups: string): string[] {
  const files: string[] = [];
  for (const line of ownGroups.split('\n')) {
    const [, number, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    // Inside a container the path may be the host's: then the mount itself is the group, and the root of `upwards` finds it.
    if (number === '0' && controllers === '') files.push(...upwards(path).map((at) => `${ROOT}${at}/memory.max`));
    else if (controllers?.split(',').includes('memory')) {
      files.push(...upwards(path).map((at) => `${ROOT}/memory${at}/memory.limit_in_bytes`));
    }
  }
  return files;
}

/** `/a/b` gives `/a/b`, `/a` and the empty root. */
function upwards(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return [...parts.keys(), parts.length].reverse().map((length) =>
    parts
      .slice(0, length)
      .map((part) => `/${part}`)
      .join(''),
  );
}

/** A limit in bytes; `max` and what is no number is none. */
function bytesIn(text: string | undefined): number {
  const trimmed = text?.trim() ?? '';
  return /^[0-9]+$/.test(trimmed) ? Number(trimmed) : Number.POSITIVE_INFINITY;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Above it bytes written per message hardly fall any more (bench/RESULTS.md). */
const WRITE_BUFFER_BYTES = 64 * 1024 ** 2;
const OWN_GROUPS = '/proc/self/cgroup';
const ROOT = '/sys/fs/cgroup';
