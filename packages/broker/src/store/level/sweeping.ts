// When sweep.ts is let loose: what sessions that ended have left behind goes when nothing else is to do, and not while a session
// is read to its end.

import type { Bodies } from './bodies.ts';
import type { Engine } from './engine.ts';
import type { SessionNumbers } from './sessions.ts';
import { sweepEnded } from './sweep.ts';

export interface SweepingParts {
  readonly engine: Engine;
  readonly sessions: SessionNumbers;
  readonly bodies: Bodies;
  /** False while the disk takes nothing. */
  readonly takesWrites: () => boolean;
}

export class Sweeping {
  readonly #parts: SweepingParts;
  /** Sessions that are read to their end. */
  #readers = 0;
  #isStopped = false;
  #underWay: Promise<void> | undefined = undefined;

  constructor(parts: SweepingParts) {
    this.#parts = parts;
  }

  /** Undefined = nothing is swept now. Never rejects. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /** Unless it is under way, or not needed. */
  begin(): void {
    const { engine, sessions, bodies, takesWrites } = this.#parts;
    const isNeeded = sessions.ended.size > 0 && this.#readers === 0 && takesWrites();
    if (this.#underWay !== undefined || !isNeeded) return;
    const swept = (): void => {
      this.#underWay = undefined;
    };
    const goOn = (): boolean => !this.#isStopped && this.#readers === 0;
    this.#underWay = sweepEnded(engine, sessions, bodies, goOn).then(swept, swept);
  }

  /** Nothing is removed until as many have released it. */
  hold(): void {
    this.#readers += 1;
  }

  release(): void {
    this.#readers -= 1;
    this.begin();
  }

  /** What is under way ends soon, and nothing is removed any more. */
  stop(): void {
    this.#isStopped = true;
  }
}
