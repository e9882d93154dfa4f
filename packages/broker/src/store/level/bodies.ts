// Messages that several queues owe at once, kept once each: a *body* has a number, and is removed with the last copy that
// refers to it. A message that only one queue owes stands in that queue itself.

import type { Message } from '../../ports/message.ts';

interface Body {
  /** 0 = it is not written. */
  number: number;
  /** Copies staged and neither written nor struck. */
  staged: number;
  /** Copies in the database that refer to it. */
  copies: number;
}

export class Bodies {
  /** By the message object that its copies share while they are staged. */
  readonly #staged = new Map<Message, Body>();
  readonly #written = new Map<number, Body>();
  #next = 1;
  /** The highest number that a copy was found to refer to. */
  highest = 0;

  /** Bodies are numbered from here on; no body has or had such a number. */
  startAt(first: number): void {
    this.#next = first;
  }

  /** A copy was staged. */
  stage(message: Message): void {
    const body = this.#staged.get(message);
    if (body === undefined) this.#staged.set(message, { number: 0, staged: 1, copies: 0 });
    else body.staged += 1;
  }

  /** A staged copy will not be written. */
  strike(message: Message): void {
    this.#unstage(message, this.#staged.get(message) as Body);
  }

  /** A staged copy is written; gives the body it refers to, 0 if it has its message with it. `isNew`: write that too. */
  write(message: Message): { readonly number: number; readonly isNew: boolean } {
    const body = this.#staged.get(message) as Body;
    const isNew = body.number === 0 && body.staged > 1;
    if (isNew) {
      body.number = this.#next++;
      this.#written.set(body.number, body);
    }
    if (body.number !== 0) body.copies += 1;
    this.#unstage(message, body);
    return { number: body.number, isNew };
  }

  /** A copy that was found in the database refers to the body. */
  found(number: number): void {
    const body = this.#written.get(number);
    if (number > this.highest) this.highest = number;
    if (body === undefined) this.#written.set(number, { number, staged: 0, copies: 1 });
    else body.copies += 1;
  }

  /** A copy in the database goes; true if the body goes with it. */
  release(number: number): boolean {
    const body = this.#written.get(number);
    if (body === undefined) return false;
    body.copies -= 1;
    if (body.copies > 0) return false;
    this.#written.delete(number);
    // Copies that are still staged will have it written anew.
    body.number = 0;
    return true;
  }

  #unstage(message: Message, body: Body): void {
    body.staged -= 1;
    if (body.staged === 0) this.#staged.delete(message);
  }
}
