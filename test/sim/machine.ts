// The machine that the broker runs on: a disk that can be torn away or be full, a clock that stands still until the world moves
// it, and work that is done when the world lets it. Starts the real broker on the real durable store, and ends it in every way.

import { type Broker, createBroker } from '@motte/broker';
import type { TopicFilter } from '@motte/wire';
import { type Policy, policyOf, roleOf } from '../../packages/broker/src/access/policy.ts';
import type { BrokerEvent } from '../../packages/broker/src/events.ts';
import type { ListenerFacts } from '../../packages/broker/src/ports/connection-facts.ts';
import type { Limits } from '../../packages/broker/src/ports/limits.ts';
import type { Message } from '../../packages/broker/src/ports/message.ts';
import type { Cursor, Store } from '../../packages/broker/src/ports/store.ts';
import { openLevelStore } from '../../packages/broker/src/store/level/open.ts';
import type { Chance } from '../fuzz/chance.ts';
import { ANONYMOUS, bareConfig, NO_TRUST, unopened } from '../harness/bare-config.ts';
import { FakeClock, SeededRandom } from '../harness/fake-clock.ts';
import { REGISTERED_LISTENER, Registry } from './registry.ts';
import { TornDisk, TornEngine } from './torn-engine.ts';

export interface MachineParts {
  readonly chance: Chance;
  readonly limits: Limits;
  readonly observe: (event: BrokerEvent) => void;
  /** Every connection is gone. */
  readonly cutAll: () => void;
}

export class Machine {
  readonly clock = new FakeClock();
  /** They outlive the broker. */
  readonly registry = new Registry();
  #policy: Policy = policyOf([EVERYBODY, roleOf('plant', ['allow all #'])]);
  crashes = 0;
  /** How often the broker was told to end: what is on its way to it by then it does not read any more. */
  stops = 0;
  /** Wall-clock ms when all had had their turn the last time: what is seen now may have happened then. */
  turnedAtMs = 0;
  /** Wall-clock ms of the last one. */
  crashedAtMs = Number.NEGATIVE_INFINITY;
  /** How often the broker's world was not in order until now: it lost its power, or the disk did not take writes. */
  shakes = 0;
  /** What brokers before this one counted as given up. */
  #droppedBefore = 0;
  readonly #parts: MachineParts;
  readonly #disk = new TornDisk();
  /** Work of engine and store that waits for its turn. */
  #deferred: (() => void)[] = [];
  #timers: { readonly dueMs: number; readonly run: () => void }[] = [];
  #engine: TornEngine | undefined = undefined;
  #store: Store | undefined = undefined;
  #broker: Broker | undefined = undefined;

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  /** Undefined while there is none. */
  get broker(): Broker | undefined {
    return this.#broker;
  }

  /** How many messages were given up for some session, of every QoS. */
  get dropped(): number {
    return this.#droppedBefore + (this.#broker?.counters.messagesDropped ?? 0);
  }

  get isBusy(): boolean {
    return this.#deferred.length > 0;
  }

  /** The disk takes writes, and what it did not take is written. */
  get isSound(): boolean {
    return this.#disk.fault === undefined && this.#store?.failing === undefined;
  }

  /** All that the broker gave to the store is on the disk. */
  get isWritten(): boolean {
    const store = this.#store;
    return this.isSound && store !== undefined && store.isCommitted(store.lastTicket);
  }

  /** Puts another policy in force. It is on the disk at once, and outlives the broker. */
  usePolicy(policy: Policy): void {
    this.#policy = policy;
    void this.#broker?.usePolicy(policy);
  }

  /** Does one piece of work that waits. */
  workOnce(): void {
    this.#deferred.shift()?.();
  }

  /** Does all that waits now. */
  work(): void {
    for (const run of this.#deferred.splice(0)) run();
  }

  /** The disk is full, or not any more. */
  fill(isFull: boolean): void {
    this.#disk.fault = isFull ? new Error('no space left on device') : undefined;
  }

  get isFull(): boolean {
    return this.#disk.fault !== undefined;
  }

  /** Notes whether the machine is in order; called after every step. */
  feel(): void {
    if (!this.isSound) this.shakes += 1;
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    const now = this.clock.monotonicMs();
    const due = this.#timers.filter(({ dueMs }) => dueMs <= now);
    this.#timers = this.#timers.filter(({ dueMs }) => dueMs > now);
    for (const { run } of due) run();
    this.#broker?.tick();
  }

  /** It loses its power in the middle of whatever it does, and starts again. */
  async crash(): Promise<void> {
    this.crashes += 1;
    this.crashedAtMs = this.clock.nowMs();
    this.shakes += 1;
    await this.end();
    this.fill(false);
    await this.start();
  }

  /** It loses its power. */
  async end(): Promise<void> {
    this.#engine?.crash();
    this.#engine = undefined;
    this.#droppedBefore = this.dropped;
    this.#broker = undefined;
    this.#parts.cutAll();
    this.#deferred = [];
    this.#timers = [];
    await this.turn();
  }

  /** The broker is told to end, and starts again. */
  async restart(): Promise<void> {
    if (this.isFull) return;
    this.stops += 1;
    await this.until(this.#broker?.stop(0));
    this.#parts.cutAll();
    this.#droppedBefore = this.dropped;
    this.#broker = undefined;
    this.#deferred = [];
    this.#timers = [];
    await this.start();
  }

  async start(): Promise<void> {
    const { chance, limits, observe } = this.#parts;
    const defer = (run: () => void): void => void this.#deferred.push(run);
    const engine = new TornEngine(this.#disk, { defer, oneIn: (n) => chance.oneIn(n) });
    this.#engine = engine;
    const opening = openLevelStore(engine, {
      lingerMs: LINGER_MS,
      defer,
      after: (ms, run) => void this.#timers.push({ dueMs: this.clock.monotonicMs() + ms, run }),
      nowMs: () => this.clock.nowMs(),
    });
    await this.until(opening);
    const store = await opening;
    this.#store = store;
    const broker = createBroker({
      config: {
        ...bareConfig([unopened(LISTENER), unopened(REGISTERED_LISTENER)], limits),
        store: { kind: 'level', lingerMs: LINGER_MS },
      },
      directory: this.registry,
      proofs: [this.registry.proof],
      policy: this.#policy,
      trust: NO_TRUST,
      clock: this.clock,
      random: new SeededRandom(chance.int(0x7fff_ffff)),
      // What a broker that lost its power says is heard by nobody.
      observers: [(event) => engine === this.#engine && observe(event)],
      store,
    });
    await this.until(broker.restore());
    this.#broker = broker;
  }

  /** Lets deferred work happen until a promise is settled. */
  async until(promise: Promise<unknown> | undefined): Promise<void> {
    if (promise === undefined) return;
    let isSettled = false;
    promise.then(
      () => (isSettled = true),
      () => (isSettled = true),
    );
    for (let turns = 0; !isSettled; turns++) {
      if (turns > 10_000) throw new Error('the store or the broker does not come to rest');
      this.workOnce();
      await this.turn();
    }
    await promise;
  }

  /** What the store retains. */
  async retained(): Promise<readonly Message[]> {
    const retained: Message[] = [];
    const store = this.#store as Store;
    let cursor: Cursor;
    let isDone = false;
    while (!isDone) {
      await this.until(
        new Promise<void>((resolve) =>
          store.matchRetained('#' as TopicFilter, cursor, 100, (messages, next) => {
            retained.push(...messages);
            cursor = next;
            isDone = next === undefined;
            resolve();
          }),
        ),
      );
    }
    return retained;
  }

  /** Whatever has its bytes, its answer or its turn goes on. */
  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    this.turnedAtMs = this.clock.nowMs();
  }
}

export const LISTENER: ListenerFacts = { ...ANONYMOUS, name: 'sim' };

/** The role of the listener for everybody. */
export const EVERYBODY = roleOf('lab', ['allow all #'], { listenerOnly: true });

const LINGER_MS = 5;
