// Keep Alive (3.1.2.10): a PINGREQ when nothing else was sent for a while, and the end when no answer comes.

import type { Timers } from './timers.ts';

/** The clock ticks this often per keep-alive interval; a PINGREQ leaves after three quiet ticks. */
const TICKS = 4;

export class KeepAlive {
  readonly #stop: () => void;
  #quietTicks = 0;
  #waitingTicks = -1;

  /** `seconds` > 0; `dead` is called when a PINGREQ stays without answer for a whole interval. */
  constructor(seconds: number, timers: Timers, ping: () => void, dead: () => void) {
    this.#stop = timers.every((seconds * 1000) / TICKS, () => {
      this.#quietTicks++;
      if (this.#waitingTicks >= 0 && ++this.#waitingTicks >= TICKS) {
        this.stop();
        dead();
      } else if (this.#waitingTicks < 0 && this.#quietTicks >= TICKS - 1) {
        this.#waitingTicks = 0;
        ping();
      }
    });
  }

  written(): void {
    this.#quietTicks = 0;
  }

  answered(): void {
    this.#waitingTicks = -1;
  }

  stop(): void {
    this.#stop();
  }
}
