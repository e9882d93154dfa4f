// What this host lends to the broker: its clocks, the turns of its event loop, its randomness, its digest, its files, its
// measurements. The core is given these and knows no other.

import { createHash, randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock, Random } from './ports/clock.ts';
import type { Gauge } from './ports/pressure.ts';

export const HOST_CLOCK: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const HOST_GAUGE: Gauge = {
  memoryBytes: () => ownMemoryBytes(readProcStatus()) ?? process.memoryUsage.rss(),
  lagMs: () => {
    loop ??= watchLoop();
    // A mean: one long turn is nothing to act on, many are. Each sample holds the time that it would have taken anyway. It is
    // never reset: the sample that is under way would be lost with it, and that is the one that a standstill is in.
    const { count } = loop;
    const totalNs = count === 0 ? 0 : loop.mean * count;
    const samples = count - seen.count;
    const lateMs = samples === 0 ? 0 : (totalNs - seen.totalNs) / samples / 1e6 - LOOP_SAMPLE_MS;
    seen = { count, totalNs };
    return Math.max(0, Math.round(lateMs));
  },
};

/**
 * Resident memory that is the process's own, from /proc/PID/status; undefined where the system does not say. Pages of the
 * store's files that are mapped count as resident too, as many as were read, and the kernel takes them back when it needs them.
 */
export function ownMemoryBytes(status: string): number | undefined {
  const [, kilobytes] = /^RssAnon:\s+([0-9]+) kB$/m.exec(status) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function readProcStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'latin1');
  } catch {
    return '';
  }
}

let loop: IntervalHistogram | undefined;
/** What was looked at before. */
let seen = { count: 0, totalNs: 0 };

function watchLoop(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: LOOP_SAMPLE_MS });
  histogram.enable();
  return histogram;
}

/** Rare enough that a broker with nothing to do sleeps. */
const LOOP_SAMPLE_MS = 50;

const CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const HOST_RANDOM: Random = {
  token: (length) => Array.from({ length }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join(''),
  uint32: () => randomBytes(4).readUInt32LE(0),
};

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The time of work that others do not wait for: so long in one turn, so long altogether, without what others took between. */
export class TimeSlices {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #sliceMs: number;
  #leftMs: number;
  #beganAtMs: number;

  constructor(clock: Pick<Clock, 'monotonicMs'>, times: { readonly sliceMs: number; readonly wholeMs: number }) {
    this.#clock = clock;
    this.#sliceMs = times.sliceMs;
    this.#leftMs = times.wholeMs;
    this.#beganAtMs = clock.monotonicMs();
  }

  get isLeft(): boolean {
    return this.#clock.monotonicMs() - this.#beganAtMs < this.#leftMs;
  }

  /** Undefined as long as the slice is not over. */
  pause(): Promise<void> | undefined {
    const tookMs = this.#clock.monotonicMs() - this.#beganAtMs;
    if (tookMs < this.#sliceMs) return undefined;
    this.#leftMs -= tookMs;
    return nextTurn().then(() => {
      this.#beganAtMs = this.#clock.monotonicMs();
    });
  }
}

/** The key of a session: the same for the same identity and client identifier on every node, and of one length. */
export function sessionKey(identityKey: string, clientId: string): string {
  return createHash('sha256').update(`${identityKey}\n${clientId}`).digest('base64url');
}

/** Connections that leave enough of the files this process may open for its administration; Infinity where nobody knows. */
export function connectionsMax(limits: string = readLimits()): number {
  const files = /^Max open files +(\d+)/m.exec(limits)?.[1];
  if (files === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(Number(files) - FILES_KEPT, Math.floor(Number(files) / 2));
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}

/** The doors of administration take 300 at most; files, pipes and the engine's own are the rest. */
const FILES_KEPT = 512;
