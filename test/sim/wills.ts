// What must become of the wills of one client, as far as can be known from outside (3.1.2.5, 3.1.3.2.2): which must go out, which
// must not, and when it is too early. Where a crash or an answer that never came leaves it open, nothing is asked.

import type { Ledger, Sent } from './ledger.ts';
import type { Machine } from './machine.ts';

/** A connection that was asked for, with its will. */
export interface Attempt {
  readonly will: Sent | undefined;
  readonly isClean: boolean;
  /** Infinity = for ever. */
  readonly expiryMs: number;
  readonly delayMs: number;
  readonly sentAtMs: number;
  /** The machine's counts when it was asked for. */
  readonly crashes: number;
  readonly shakes: number;
  state: 'asked' | 'open' | 'over';
  /** When DISCONNECT with the will was sent: the broker may have read it long before the client sees its end. Infinity = not. */
  leftAtMs: number;
  /** Its end came between these. */
  endedAtMs: number;
  goneAtMs: number;
  /** True once it must be on the disk that there is this will. */
  isKept: boolean;
}

/** What is certain of a will unless the machine crashes before everything has passed. */
interface Fate {
  readonly attempt: Attempt;
  /** The statement by which it must not go out; undefined = it must. */
  readonly rule: string | undefined;
  readonly crashes: number;
}

export class Wills {
  readonly #ledger: Ledger;
  readonly #machine: Machine;
  /** The last connection that was accepted; what becomes of its will is not known yet. */
  #last: Attempt | undefined = undefined;
  /** A later one that was not answered yet. */
  #asked: Attempt | undefined = undefined;
  #fates: Fate[] = [];
  readonly #forbidden = new Map<Sent, string>();

  constructor(ledger: Ledger, machine: Machine) {
    this.#ledger = ledger;
    this.#machine = machine;
  }

  /** The will that goes with the next connection. */
  write(publisher: string, topic: string, qos: Sent['qos']): Sent {
    const { crashes } = this.#machine;
    const sending = { publisher, topic, qos, retain: false, isClear: false, lifeMs: Number.POSITIVE_INFINITY };
    const sent = this.#ledger.send(sending, this.#machine.clock.nowMs());
    // Should the commit be torn that says that it went out, it goes out again.
    sent.mayRepeat = () => this.#machine.crashes !== crashes;
    sent.whyNotNow = () => this.#whyNotNow(sent);
    return sent;
  }

  /** CONNECT is sent; an older connection may still live. */
  ask(attempt: Attempt): void {
    if (this.#last?.state === 'open') this.#end(this.#last, attempt.sentAtMs);
    this.#asked = attempt;
  }

  /** CONNACK came. */
  accepted(attempt: Attempt, isPresent: boolean): void {
    this.#asked = undefined;
    attempt.state = 'open';
    if (this.#last !== undefined) this.#settle(this.#last, attempt, isPresent);
    this.#last = attempt;
  }

  /** The connection ended before CONNACK: what it came to, and what became of the one before, nobody knows. */
  unanswered(): void {
    const { sentAtMs } = this.#asked as Attempt;
    if (this.#last !== undefined && sentAtMs >= this.#latestMs(this.#last)) this.#decide(this.#last, undefined);
    this.#asked = undefined;
    this.#last = undefined;
  }

  /** The connection ended; `isGoodbye` if the broker ended it after DISCONNECT, undefined if it may have. */
  ended(isGoodbye: boolean | undefined, endedAtMs: number): void {
    const last = this.#last as Attempt;
    this.#end(last, endedAtMs);
    if (isGoodbye === false) return;
    if (isGoodbye === true) this.#decide(last, 'MQTT-3.14.4-3');
    this.#last = undefined;
  }

  /** All that was under way has passed. */
  calm(): void {
    const machine = this.#machine;
    const last = this.#last;
    if (last?.state === 'open' && last.shakes === machine.shakes) last.isKept = true;
    if (last?.state === 'over' && this.#asked === undefined && machine.clock.nowMs() >= this.#latestMs(last)) {
      this.#decide(last, undefined);
      this.#last = undefined;
    }
    for (const { attempt, rule, crashes } of this.#fates.splice(0)) {
      const will = attempt.will as Sent;
      if (machine.crashes !== crashes) continue;
      if (rule === undefined) {
        // It is owed from now on to whoever may get it.
        if (attempt.isKept || crashes === attempt.crashes) will.acknowledged = true;
      } else {
        if (this.#ledger.hasArrived(will)) throw new Error(`[${rule}] will ${will.number} went out`);
        this.#forbidden.set(will, rule);
      }
    }
  }

  /** Another connection of the client was accepted. */
  #settle(before: Attempt, { isClean, sentAtMs }: Attempt, isPresent: boolean): void {
    if (isClean || !isPresent || before.delayMs === 0) this.#decide(before, undefined);
    else if (this.#machine.clock.nowMs() < dueMs(before)) this.#decide(before, 'MQTT-3.1.3-9');
    else if (sentAtMs >= this.#latestMs(before)) this.#decide(before, undefined);
  }

  #decide(attempt: Attempt, rule: string | undefined): void {
    if (attempt.will !== undefined) this.#fates.push({ attempt, rule, crashes: this.#machine.crashes });
  }

  #end(attempt: Attempt, endedAtMs: number): void {
    attempt.state = 'over';
    attempt.endedAtMs = endedAtMs;
    attempt.goneAtMs = this.#machine.clock.nowMs();
  }

  /** When it has gone out for sure: after a crash, it may count from there. */
  #latestMs(attempt: Attempt): number {
    const { crashedAtMs } = this.#machine;
    const waitMs = Math.min(attempt.delayMs, attempt.expiryMs);
    return Math.max(attempt.goneAtMs, crashedAtMs) + waitMs + DEADLINE_SLACK_MS;
  }

  #whyNotNow(will: Sent): string | undefined {
    const forbidden = this.#forbidden.get(will);
    if (forbidden !== undefined) return forbidden;
    const last = this.#last;
    if (last?.will !== will) return undefined;
    const isOpen = last.state === 'open';
    if (isOpen && last.leftAtMs === Number.POSITIVE_INFINITY) return 'MQTT-3.1.2-8';
    const endedAtMs = isOpen ? last.leftAtMs : last.endedAtMs;
    const isEarly = this.#asked === undefined && this.#machine.clock.nowMs() < dueMs({ ...last, endedAtMs });
    return isEarly ? 'MQTT-3.1.3-9' : undefined;
  }
}

/** After the delay, or with the session. */
function dueMs({ endedAtMs, delayMs, expiryMs }: Attempt): number {
  return endedAtMs + Math.min(delayMs, expiryMs);
}

/** Deadlines are looked at in steps. */
const DEADLINE_SLACK_MS = 600;
