// A client that comes and goes with a will: ends its connections in every way that there is, comes back in time or not, and with or
// without its session.

import type { Packet, Publish, QoS, TopicName } from '@motte/wire';
import type { Chance } from '../fuzz/chance.ts';
import { Endpoint, type EndpointOwner, type Wire } from './endpoint.ts';
import type { Ledger } from './ledger.ts';
import type { Machine } from './machine.ts';
import type { Peer } from './network.ts';
import { SessionLife } from './session-life.ts';
import { type Attempt, Wills } from './wills.ts';

export interface GuestOptions {
  readonly id: string;
  readonly version: 4 | 5;
}

export class Guest implements EndpointOwner, Peer {
  readonly id: string;
  readonly version: 4 | 5;
  readonly isDone = true;
  readonly #chance: Chance;
  readonly #machine: Machine;
  readonly #endpoint = new Endpoint(this);
  readonly #wills: Wills;
  readonly #life: SessionLife;
  #attempt: Attempt | undefined = undefined;
  /** What had befallen the machine when DISCONNECT was sent; undefined = it was not. */
  #goodbye: number | undefined = undefined;
  /** True once a DISCONNECT was sent: it is the last packet. */
  #isLeaving = false;

  constructor({ id, version }: GuestOptions, ledger: Ledger, machine: Machine, chance: Chance) {
    this.id = id;
    this.version = version;
    this.#chance = chance;
    this.#machine = machine;
    this.#wills = new Wills(ledger, machine);
    this.#life = new SessionLife(id, machine);
  }

  get isOnline(): boolean {
    return this.#endpoint.isOnline;
  }

  get isConnected(): boolean {
    return this.#attempt?.state === 'open';
  }

  get state(): string {
    return `${this.id} ${this.isConnected ? 'connected' : 'away'}`;
  }

  /** Not while an older connection was not answered: which of the two came first nobody could know. */
  connect(wire: Wire): void {
    // Nobody knows which of the two comes first.
    if (this.isConnected && this.#goodbye !== undefined) this.#wills.ended(undefined, this.#machine.clock.nowMs());
    const attempt = this.#nextAttempt();
    const { will, isClean, expiryMs, delayMs } = attempt;
    this.#wills.ask(attempt);
    if (this.isConnected) this.#life.ended(attempt.sentAtMs);
    this.#life.ask(attempt);
    this.#attempt = attempt;
    this.#goodbye = undefined;
    this.#isLeaving = false;
    this.#endpoint.begin(wire, { receiveMaximum: 0xffff, topicAliasMaximum: 0 });
    const seconds = Number.isFinite(expiryMs) ? expiryMs / 1000 : 0xffff_ffff;
    const properties = this.version === 5 ? { willDelayInterval: delayMs / 1000 } : {};
    this.#endpoint.send({
      type: 'connect',
      version: this.version,
      clientId: this.id,
      cleanStart: isClean,
      keepAlive: 0,
      properties: this.version === 5 ? { sessionExpiryInterval: seconds } : {},
      ...(will === undefined
        ? {}
        : {
            will: {
              topic: will.topic as TopicName,
              payload: new TextEncoder().encode(String(will.number)),
              qos: will.qos,
              retain: false,
              properties,
            },
          }),
    });
  }

  /** Ends its connection in some way, if it has one. */
  leave(): void {
    if (!this.isConnected || this.#isLeaving) return;
    const roll = this.#chance.int(3);
    if (roll === 0) {
      this.cut();
      return;
    }
    this.#isLeaving = true;
    if (roll === 1 && this.version === 5) {
      // With the will.
      (this.#attempt as Attempt).leftAtMs = this.#machine.clock.nowMs();
      this.#endpoint.send({ type: 'disconnect', reasonCode: 0x04, properties: {} });
    } else {
      this.#goodbye = this.#befallen;
      this.#endpoint.send({ type: 'disconnect', reasonCode: 0, properties: {} });
    }
  }

  acknowledge(): void {
    this.#endpoint.acknowledge();
  }

  take(wire: Wire, bytes: Uint8Array): void {
    this.#endpoint.take(wire, bytes);
  }

  lost(wire: Wire, wasCut: boolean): void {
    if (!this.#endpoint.lost(wire)) return;
    if (this.isConnected) {
      const isCertain = !wasCut && this.#goodbye === this.#befallen;
      const endedAtMs = wasCut ? this.#machine.clock.nowMs() : this.#machine.turnedAtMs;
      this.#wills.ended(this.#goodbye === undefined ? false : isCertain ? true : undefined, endedAtMs);
      this.#life.ended(endedAtMs);
    } else {
      this.#wills.unanswered();
      this.#life.unanswered();
    }
    this.#attempt = undefined;
  }

  cut(): void {
    this.#endpoint.cut();
  }

  /** Grows with all that may keep the broker from reading what was sent. */
  get #befallen(): number {
    return this.#machine.shakes + this.#machine.stops;
  }

  /** All that was under way has passed. */
  calm(): void {
    this.#wills.calm();
    this.#life.calm();
  }

  arrived({ topic }: Publish): void {
    throw new Error(`${this.id} got a message at ${topic}, and has no subscription`);
  }

  accepted(sessionPresent: boolean): void {
    if (this.#attempt === undefined) return;
    this.#life.accepted(sessionPresent);
    this.#wills.accepted(this.#attempt, sessionPresent);
  }

  /** What else may have ended it is not asked. */
  dismissed(): void {
    this.#goodbye = this.#goodbye === undefined ? undefined : -1;
  }

  received({ type }: Packet): void {
    throw new Error(`${this.id} got a ${type}`);
  }

  #nextAttempt(): Attempt {
    const chance = this.#chance;
    const { clock, crashes, shakes } = this.#machine;
    const isClean = chance.oneIn(4);
    const forever = Number.POSITIVE_INFINITY;
    const expiryMs = this.version === 5 ? chance.pick([0, 2_000, 30_000, forever]) : isClean ? 0 : forever;
    const will = chance.oneIn(4) ? undefined : this.#wills.write(this.id, `will/${this.id}`, chance.int(3) as QoS);
    return {
      ...{ will, isClean, expiryMs, delayMs: this.version === 5 ? chance.pick([0, 0, 3_000, 25_000]) : 0 },
      ...{ sentAtMs: clock.nowMs(), crashes, shakes, state: 'asked', isKept: false },
      ...{ leftAtMs: Number.POSITIVE_INFINITY, endedAtMs: 0, goneAtMs: 0 },
    };
  }
}
