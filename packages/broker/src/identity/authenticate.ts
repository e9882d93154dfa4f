// Composes the proofs of a CONNECT into the guard `authenticate`: any deny wins, undefined is silence, all silent is deny,
// throwing or timing out is deny. Owns the deadline and how many run at once; proves nothing itself.

import type { Authentication, Challenge, Evidence, Guards, Proven } from '../ports/guards.ts';
import { refuse } from '../ports/verdict.ts';

/** One opinion on the evidence; undefined = none. The first that proves an identity names it. */
export type Proof = (evidence: Evidence) => Authentication | undefined | Promise<Authentication | undefined>;

export interface AuthenticateParts {
  readonly proofs: readonly Proof[];
  readonly deadlineMs: number;
  readonly atOnceMax: number;
}

/** Makes the guard. Proofs run in order; a synchronous one costs no timer. */
export function createAuthenticate({ proofs, deadlineMs, atOnceMax }: AuthenticateParts): Guards['authenticate'] {
  const gate = new Gate(atOnceMax);

  /** Runs one round of proofs within the gate and the deadline. */
  async function round(step: () => Promise<Authentication> | Authentication): Promise<Authentication> {
    const startedMs = performance.now();
    try {
      if (!(await gate.enter(deadlineMs))) return BUSY;
      try {
        const outcome = step();
        if (!(outcome instanceof Promise)) return outcome;
        return await withDeadline(outcome, Math.max(1, deadlineMs - (performance.now() - startedMs)));
      } finally {
        gate.leave();
      }
    } catch (fault) {
      return refuse('unspecified-error', `the proof of identity failed: ${messageOf(fault)}`, 'identity');
    }
  }

  /** Asks the proofs from `index` on; `proven` is what an earlier one has found. */
  function ask(
    evidence: Evidence,
    index: number,
    proven: Proven | undefined,
  ): Authentication | Promise<Authentication> {
    for (let at = index; at < proofs.length; at++) {
      const outcome = (proofs[at] as Proof)(evidence);
      if (outcome instanceof Promise) {
        return outcome.then((settled) => weigh(evidence, at, proven, settled) ?? ask(evidence, at + 1, proven));
      }
      const decided = weigh(evidence, at, proven, outcome);
      if (decided !== undefined) return decided;
    }
    return proven ?? SILENT;
  }

  /** What an outcome settles; undefined = the proof was silent and the next is asked. */
  function weigh(
    evidence: Evidence,
    at: number,
    proven: Proven | undefined,
    outcome: Authentication | undefined,
  ): Authentication | Promise<Authentication> | undefined {
    if (outcome === undefined || outcome.allow === false) return outcome;
    if (outcome.allow === true) return ask(evidence, at + 1, proven === undefined ? outcome : joined(proven, outcome));
    const challenge: Challenge = {
      allow: 'challenge',
      data: outcome.data,
      respond: (data) =>
        round(async () => {
          const settled = await outcome.respond(data);
          return (await weigh(evidence, at, proven, settled)) ?? SILENT;
        }),
    };
    return challenge;
  }

  return (evidence) => round(() => ask(evidence, 0, undefined));
}

/** The first one's identity, the last one's data, and the earlier of the two ends. */
function joined(first: Proven, next: Proven): Proven {
  return {
    allow: true,
    identity: first.identity,
    data: next.data ?? first.data,
    expiresAtMs: earlierEnd(first.expiresAtMs, next.expiresAtMs),
    ...(first.token === undefined ? {} : { token: first.token }),
  };
}

/** The earlier of two ends, where 0 is none. */
export function earlierEnd(one: number, other: number): number {
  return one === 0 || other === 0 ? Math.max(one, other) : Math.min(one, other);
}

const SILENT = refuse('not-authorized', 'nothing proves who this is', 'identity');
const BUSY = refuse('server-busy', 'too many proofs of identity are under way', 'limits.authenticationsAtOnceMax');

function withDeadline(outcome: Promise<Authentication>, deadlineMs: number): Promise<Authentication> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const because = `the proof of identity took longer than ${Math.round(deadlineMs)} ms`;
      resolve(refuse('server-unavailable', because, 'limits.authenticateDeadlineMs'));
    }, deadlineMs);
    outcome.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}

/** Lets a number of callers in and keeps a bounded row of others waiting, in order, each no longer than its deadline. */
class Gate {
  #inside = 0;
  readonly #max: number;
  readonly #waiting = new Set<(entered: boolean) => void>();

  constructor(max: number) {
    this.#max = max;
  }

  /** True when it is the caller's turn; false if the row is full or its time is up. */
  enter(deadlineMs: number): boolean | Promise<boolean> {
    if (this.#inside < this.#max) {
      this.#inside += 1;
      return true;
    }
    if (this.#waiting.size >= this.#max * WAITING_PER_PLACE) return false;
    return new Promise((resolve) => {
      const settle = (entered: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve(entered);
      };
      const timer = setTimeout(() => settle(false), deadlineMs);
      this.#waiting.add(settle);
    });
  }

  leave(): void {
    const [next] = this.#waiting;
    // The place is handed over, so nobody slips in between.
    if (next === undefined) this.#inside -= 1;
    else next(true);
  }
}

/** Callers that may wait for each place. */
const WAITING_PER_PLACE = 32;
