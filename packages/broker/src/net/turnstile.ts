// How many accepted sockets are let in per turn of the event loop, over all listeners: a thousand devices that come back at once
// are served one handful after the other, and those that are in do not wait for them. Owns the waiting; what becomes of
// a socket is its listener's.

import type { Socket } from 'node:net';
import type { Pressure } from '../ports/pressure.ts';

/** What a listener does with a socket that it has accepted. */
export interface Door {
  letIn(socket: Socket): void;
  /** There is no room to wait in. */
  turnAway(socket: Socket): void;
}

export interface TurnstileParts {
  readonly waitingMax: number;
  readonly pressure: Pressure;
  /** Connections that were let in and not handed on yet: handshakes, as a rule. */
  readonly underWay: () => number;
  /** False while there are as many connections as there are files for. */
  readonly hasRoom: () => boolean;
}

export class Turnstile {
  readonly #parts: TurnstileParts;
  /** In the order of their arrival, from `#next` on. */
  #waiting: { readonly socket: Socket; readonly door: Door }[] = [];
  #next = 0;
  /** Let in during this turn. */
  #letIn = 0;
  #armed = false;
  readonly #turn = (): void => this.#goOn();

  constructor(parts: TurnstileParts) {
    this.#parts = parts;
  }

  /** Sockets that wait. */
  get waiting(): number {
    return this.#waiting.length - this.#next;
  }

  /** Lets the socket in now or in its turn. It must not be read before. */
  take(socket: Socket, door: Door): void {
    if (this.waiting === 0 && this.#letIn < this.#perTurn) {
      this.#letIn += 1;
      this.#arm();
      door.letIn(socket);
    } else if (this.waiting >= this.#parts.waitingMax || !this.#parts.hasRoom()) {
      door.turnAway(socket);
    } else {
      this.#waiting.push({ socket, door });
      this.#arm();
    }
  }

  /** Destroys the sockets that wait for this door. */
  close(door: Door): void {
    const waiting = this.#waiting.slice(this.#next);
    this.#waiting = waiting.filter((one) => one.door !== door);
    this.#next = 0;
    for (const one of waiting) if (one.door === door) one.socket.destroy();
  }

  /** Never none: who does not finish its handshake may make others wait longer, but not for ever. */
  get #perTurn(): number {
    if (this.#parts.underWay() >= UNDER_WAY) return 1;
    return this.#parts.pressure.isLate ? PER_LATE_TURN : PER_TURN;
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#turn);
  }

  #goOn(): void {
    this.#armed = false;
    this.#letIn = 0;
    const perTurn = this.#perTurn;
    while (this.#letIn < perTurn && this.waiting > 0) {
      const { socket, door } = this.#waiting[this.#next++] as { socket: Socket; door: Door };
      if (socket.destroyed) continue;
      this.#letIn += 1;
      door.letIn(socket);
    }
    if (this.#next >= CUT) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    if (this.#letIn > 0 || this.waiting > 0) this.#arm();
  }
}

/** Two handshakes' worth of work for each is well below 100 ms. */
const PER_TURN = 16;
/** While turns are long already. */
const PER_LATE_TURN = 4;
/** With so many handshakes under way one more does not end sooner for being begun sooner, and all might end too late. */
const UNDER_WAY = 128;

/** What lies before the next one is cut off now and then. */
const CUT = 1_024;
