// Memory against its budget, and the lateness of the event loop, as stages that are entered at one mark and left at a lower
// one. Owns the marks, their events and what an operator is told; who acts on a stage asks for it.

import type { Emit } from '../events.ts';
import type { HealthFinding } from '../ports/admin-view.ts';
import type { MemoryStage, Pressure } from '../ports/pressure.ts';

export interface OverloadOptions {
  /** The memory budget in bytes; 0 = there is none. */
  readonly memoryBytesMax: number;
  readonly lagMsMax: number;
  readonly emit: Emit;
}

export class Overload implements Pressure {
  stage: MemoryStage = 0;
  isLate = false;
  private readonly options: OverloadOptions;
  private memoryBytes = 0;
  private lagMs = 0;
  /** Measurements in a row that found the event loop in time. */
  private timely = 0;

  constructor(options: OverloadOptions) {
    this.options = options;
  }

  /** Takes a measurement of memory, in bytes. */
  measureMemory(bytes: number): void {
    const { memoryBytesMax } = this.options;
    this.memoryBytes = bytes;
    if (memoryBytesMax === 0) return;
    const used = bytes / memoryBytesMax;
    for (const { stage, at } of STAGES) if (stage > this.stage && used >= at) this.enter(stage);
    for (const { stage, at } of STAGES.toReversed())
      if (stage === this.stage && used < at - LEFT_BELOW) this.leave(stage);
  }

  /** Takes a measurement of how late the event loop was, in ms. */
  measureLag(ms: number): void {
    const { lagMsMax, emit } = this.options;
    this.lagMs = ms;
    if (ms > lagMsMax) {
      this.timely = 0;
      if (this.isLate) return;
      this.isLate = true;
      emit('overload.entered', { what: 'event loop', stage: 1, why: this.lateness });
    } else if (this.isLate) {
      this.timely = ms > lagMsMax / 2 ? 0 : this.timely + 1;
      if (this.timely < TIMELY_MEASUREMENTS) return;
      this.isLate = false;
      emit('overload.left', { what: 'event loop', stage: 1, why: `it is ${ms} ms late` });
    }
  }

  /** What keeps the broker from being wholly well, for `status`. */
  get findings(): HealthFinding[] {
    const findings: HealthFinding[] = [];
    if (this.stage > 0) findings.push({ subject: 'memory', why: this.shortage(this.stage) });
    if (this.isLate) findings.push({ subject: 'event loop', why: this.lateness });
    return findings;
  }

  private enter(stage: MemoryStage): void {
    this.stage = stage;
    this.options.emit('overload.entered', { what: 'memory', stage, why: this.shortage(stage) });
  }

  private leave(stage: MemoryStage): void {
    this.stage = (stage - 1) as MemoryStage;
    this.options.emit('overload.left', { what: 'memory', stage, why: this.usage });
  }

  private shortage(stage: MemoryStage): string {
    return `${this.usage}: ${STAGES.find((one) => one.stage === stage)?.follows}`;
  }

  private get usage(): string {
    const { memoryBytesMax } = this.options;
    const percent = Math.round((this.memoryBytes / memoryBytesMax) * 100);
    return `${percent} % of ${Math.round(memoryBytesMax / MIB)} MiB (limits.memoryBytesMax) is used`;
  }

  private get lateness(): string {
    return `it is ${this.lagMs} ms late, more than admission.lagMsMax: new connections are let in slowly`;
  }
}

interface Stage {
  readonly stage: MemoryStage;
  /** The part of the budget at which it is entered. */
  readonly at: number;
  readonly follows: string;
}

/** The order in which somebody has to go without: who is not here yet, before who is. */
const STAGES: readonly Stage[] = [
  { stage: 1, at: 0.8, follows: 'new sessions that outlive their connection are refused' },
  { stage: 2, at: 0.9, follows: 'clients without a session are refused' },
  { stage: 3, at: 0.95, follows: 'QoS 0 messages for clients that do not read are given up' },
  { stage: 4, at: 1, follows: 'every new connection is refused' },
];

/** A stage is left this part of the budget below the mark at which it is entered. */
const LEFT_BELOW = 0.05;

/** Two seconds of ticks. */
const TIMELY_MEASUREMENTS = 8;

const MIB = 1024 * 1024;
