// Whether the session of one client must still be there when it comes back, must not be, or may (3.1.2.4, 3.1.2.11.2).

import type { Machine } from './machine.ts';

interface Life {
  readonly isClean: boolean;
  /** Infinity = for ever. */
  readonly expiryMs: number;
  readonly sentAtMs: number;
}

export class SessionLife {
  readonly #who: string;
  readonly #machine: Machine;
  #asked: Life | undefined = undefined;
  /** The session that the broker certainly has, or had until it expired; undefined = nobody knows. */
  #known: Life | undefined = undefined;
  /** The count of crashes up to which it was certainly written. */
  #writtenAt = 0;
  /** The end of its connection came between these; infinity while it is connected. */
  #endedAtMs = Number.POSITIVE_INFINITY;
  #goneAtMs = Number.POSITIVE_INFINITY;
  /** True once it was in the store before whatever came. */
  #isWritten = false;

  constructor(who: string, machine: Machine) {
    this.#who = who;
    this.#machine = machine;
  }

  /** CONNECT is sent. */
  ask(life: Life): void {
    this.#asked = life;
  }

  /** CONNACK came. */
  accepted(isPresent: boolean): void {
    const asked = this.#asked as Life;
    const known = this.#known;
    if (isPresent && asked.isClean) throw new Error(`[MQTT-3.2.2-2] ${this.#who} has a session after a clean start`);
    if (known !== undefined && !asked.isClean) this.#check(known, asked, isPresent);
    this.#known = asked;
    this.#asked = undefined;
    this.#isWritten = false;
    this.#writtenAt = this.#machine.crashes;
    this.#endedAtMs = Number.POSITIVE_INFINITY;
    this.#goneAtMs = Number.POSITIVE_INFINITY;
  }

  /** The connection ended before CONNACK. */
  unanswered(): void {
    this.#asked = undefined;
    this.#known = undefined;
  }

  /** The connection ended, at this time or since. */
  ended(endedAtMs: number): void {
    this.#endedAtMs = endedAtMs;
    this.#goneAtMs = this.#machine.clock.nowMs();
  }

  /** All that was under way has passed. */
  calm(): void {
    if (this.#machine.crashes === this.#writtenAt) this.#isWritten = true;
  }

  #check({ expiryMs }: Life, { sentAtMs }: Life, isPresent: boolean): void {
    const { clock, crashes, crashedAtMs } = this.#machine;
    // What a crash took, or in which state it left it, nobody knows.
    if (!this.#isWritten && crashes !== this.#writtenAt) return;
    const endsAtMs = this.#endedAtMs + expiryMs;
    if (!isPresent && expiryMs > 0 && clock.nowMs() < endsAtMs) {
      throw new Error(`[MQTT-3.2.2-3] ${this.#who} has no session ${endsAtMs - clock.nowMs()} ms before its end`);
    }
    const latestMs = Math.max(this.#goneAtMs, crashedAtMs) + expiryMs + DEADLINE_SLACK_MS;
    if (isPresent && sentAtMs >= latestMs) {
      throw new Error(`[MQTT-4.1.0-2] ${this.#who} has a session ${sentAtMs - latestMs} ms after its end`);
    }
  }
}

/** Deadlines are looked at in steps. */
const DEADLINE_SLACK_MS = 600;
