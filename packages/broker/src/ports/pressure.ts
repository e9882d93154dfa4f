// How hard pressed the process is: the numbers that its host measures, and what whoever lets somebody in asks of them.

/** What the host measures of this process. */
export interface Gauge {
  /** Resident memory without that of files, in bytes. */
  memoryBytes(): number;
  /** How much later than it should the event loop came round to its work since this was asked last, in ms. */
  lagMs(): number;
}

/**
 * How far the memory budget is used up: from 1 on no new session may outlive its connection, from 2 on clients without a
 * session are refused, from 3 on QoS 0 is given up for clients that do not read, at 4 nobody new is let in.
 */
export type MemoryStage = 0 | 1 | 2 | 3 | 4;

export interface Pressure {
  readonly stage: MemoryStage;
  /** True while the event loop is later than `admission.lagMsMax`. */
  readonly isLate: boolean;
}

/** Nothing is short. */
export const CALM: Pressure = Object.freeze({ stage: 0, isLate: false });
