// How much of a turn of the event loop is spent on TLS handshakes that begin, over all listeners. To answer a ClientHello is the most
// expensive thing a stranger can ask for: were a dozen that come together answered together, everybody's messages would wait
// for them. They are answered one after the other, for a few milliseconds of each turn, and what else has come is read in between.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Clock } from '../ports/clock.ts';

export class HandshakeTurns {
  readonly #clock: Clock;
  /** In the order of their ClientHellos; the turnstile sees to it that they are few. */
  readonly #waiting: (() => void)[] = [];
  /** True once a handshake has begun in this turn. */
  #hasBegun = false;
  /** When this turn has had its share. */
  #untilMs = 0;
  /** Open while handshakes wait. */
  #wake: MessagePort | undefined = undefined;
  readonly #turnEnded = (): void => {
    this.#hasBegun = false;
    if (this.#waiting.length > 0) this.#wakeLater();
    else this.#sleep();
  };
  readonly #goOn = (): void => {
    if (this.#waiting.length === 0 || !this.#hasRoom()) return;
    this.#waiting.shift()?.();
    // Node answers the ClientHello in a tick that was asked for just now: in the next one it is known how long that took.
    process.nextTick(this.#goOn);
  };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `begin`, where bytes are read: now, or in a later turn; whether its peer is still there by then is the caller's to see. */
  take(begin: () => void): void {
    if (this.#waiting.length === 0 && this.#hasRoom()) begin();
    else this.#waiting.push(begin);
  }

  /** True for one at least in every turn. */
  #hasRoom(): boolean {
    const nowMs = this.#clock.monotonicMs();
    if (this.#hasBegun) return nowMs < this.#untilMs;
    this.#hasBegun = true;
    this.#untilMs = nowMs + SHARE_MS;
    setImmediate(this.#turnEnded);
    return true;
  }

  /**
   * A message comes where the event loop polls, as bytes do. Begun in an immediate a handshake would lose its alert: what Node's TLS has written
   * counts as under way until the immediates of the next turn, and by then the client may have answered, and been refused.
   */
  #wakeLater(): void {
    if (this.#wake === undefined) {
      const { port1, port2 } = new MessageChannel();
      port1.on('message', this.#goOn);
      this.#wake = port2;
    }
    this.#wake.postMessage(undefined);
  }

  #sleep(): void {
    this.#wake?.close();
    this.#wake = undefined;
  }
}

/** Two or three handshakes on the hardware of today; one, on whatever hardware. */
const SHARE_MS = 4;
