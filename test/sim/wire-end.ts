// The broker's end of a connection in the simulation. Bytes of both directions wait in the network until the world lets some
// of them pass, in pieces; a cut loses all that is still on its way.

import { Duplex } from 'node:stream';
import type { Chance } from '../fuzz/chance.ts';

/** Bytes that the network holds for a client before the broker meets back-pressure. */
const WINDOW_BYTES = 8 * 1024;

export class WireEnd extends Duplex {
  /** Takes what the broker sent, once it has passed. */
  readonly #toClient: (bytes: Uint8Array) => void;
  readonly #onEnd: () => void;
  readonly #up: Buffer[] = [];
  readonly #down: Buffer[] = [];
  #held: (() => void) | undefined = undefined;
  #isOver = false;
  /** True while the client reads nothing. */
  #isHeld = false;
  readonly #windowBytes: number;
  /** True if the network failed, not the broker ended it. */
  wasCut = false;

  constructor(toClient: (bytes: Uint8Array) => void, onEnd: () => void, windowBytes = WINDOW_BYTES) {
    super({ allowHalfOpen: false });
    this.#windowBytes = windowBytes;
    this.#toClient = toClient;
    this.#onEnd = onEnd;
    this.on('error', () => undefined);
  }

  /** From the client, onto its way. */
  send(bytes: Uint8Array): void {
    if (!this.#isOver) this.#up.push(Buffer.from(bytes));
  }

  /** The client reads nothing, or goes on. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  get isBusy(): boolean {
    return this.#up.length > 0 || this.#isReadable;
  }

  get #isReadable(): boolean {
    return this.#down.length > 0 && !this.#isHeld;
  }

  /** Lets some bytes of one direction pass. */
  pass(chance: Chance): void {
    const upwards = !this.#isReadable || (this.#up.length > 0 && chance.oneIn(2));
    const queue = upwards ? this.#up : this.#down;
    const chunk = queue.shift();
    if (chunk === undefined) return;
    const length = chance.oneIn(3) ? 1 + chance.int(chunk.length) : chunk.length;
    if (length < chunk.length) queue.unshift(chunk.subarray(length));
    const part = chunk.subarray(0, length);
    if (upwards) this.push(part);
    else {
      this.#toClient(part);
      this.#release();
    }
  }

  /** The network fails: neither end is told anything more, and what was on its way is lost. */
  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.wasCut = true;
    this.#up.length = 0;
    this.#down.length = 0;
    this.destroy();
    this.#onEnd();
  }

  override _read(): void {
    // Bytes come when the world says so.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.#isOver) {
      done();
      return;
    }
    this.#down.push(Buffer.from(chunk));
    this.#held = done;
    this.#release();
  }

  override _final(done: () => void): void {
    done();
    // What was sent before the end still arrives.
    for (const chunk of this.#down.splice(0)) this.#toClient(chunk);
    this.#finish();
  }

  override _destroy(fault: Error | null, done: (fault: Error | null) => void): void {
    this.#finish();
    done(fault);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onEnd();
  }

  #release(): void {
    const waiting = this.#down.reduce((sum, chunk) => sum + chunk.length, 0);
    if (waiting > this.#windowBytes) return;
    const done = this.#held;
    this.#held = undefined;
    done?.();
  }
}
