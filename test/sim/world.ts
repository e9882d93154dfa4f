// The whole of it under one seed: the real broker on the real durable store, over a disk that can be torn away, a network that
// delays and cuts, clients that come back, and a clock that moves when the world says so. After every step what was
// promised is checked; at the end everybody gets every chance to be given what is owed.

import { type Broker, createBroker } from '@motte/broker';
import type { QoS, TopicFilter } from '@motte/wire';
import type { BrokerEvent } from '../../packages/broker/src/events.ts';
import type { ListenerFacts } from '../../packages/broker/src/ports/connection-facts.ts';
import { DEFAULT_LIMITS, type Limits } from '../../packages/broker/src/ports/limits.ts';
import type { Cursor, Store } from '../../packages/broker/src/ports/store.ts';
import { openLevelStore } from '../../packages/broker/src/store/level/open.ts';
import { Chance } from '../fuzz/chance.ts';
import { FakeClock, SeededRandom } from '../harness/fake-clock.ts';
import { Ledger } from './ledger.ts';
import { SimClient, type Subscribing } from './sim-client.ts';
import { TornDisk, TornEngine } from './torn-engine.ts';
import { WireEnd } from './wire-end.ts';

export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly crashes: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly arrived: number;
  /** Messages that the broker said it gave up because a queue was full. */
  readonly givenUp: number;
}

/** Plays a seed to its end; throws what broke a promise, with the seed and the step. */
export async function simulate(seed: number): Promise<Outcome> {
  const world = new World(seed);
  try {
    return await world.play();
  } catch (fault) {
    throw new Error(`seed ${seed}, step ${world.step}: ${(fault as Error).message}`, { cause: fault });
  } finally {
    await world.end();
  }
}

class World {
  step = 0;
  readonly #seed: number;
  readonly #chance: Chance;
  readonly #clock = new FakeClock();
  readonly #disk = new TornDisk();
  readonly #ledger = new Ledger();
  readonly #clients: SimClient[];
  readonly #limits: Limits;
  /** Work of engine and store that waits for its turn. */
  #deferred: (() => void)[] = [];
  #timers: { readonly dueMs: number; readonly run: () => void }[] = [];
  #wires: WireEnd[] = [];
  #engine: TornEngine | undefined = undefined;
  #store: Store | undefined = undefined;
  #broker: Broker | undefined = undefined;
  #crashes = 0;
  #broken: string | undefined = undefined;

  constructor(seed: number) {
    this.#seed = seed;
    this.#chance = new Chance(seed);
    const chance = this.#chance;
    this.#limits = {
      ...DEFAULT_LIMITS,
      // In some worlds queues fill, in some a client that does not read meets its bound at once.
      ...(chance.oneIn(3) ? { queueMessagesMax: chance.between(2, 30) } : {}),
      ...(chance.oneIn(4) ? { unsentBytesMax: chance.between(16, 2_000) } : {}),
    };
    const shared: Subscribing = { filter: `$share/pool/${chance.pick(FILTERS)}`, qos: chance.int(3) as QoS };
    this.#clients = Array.from({ length: chance.between(2, 5) }, (_, at) => {
      const wants: Subscribing[] = [{ filter: chance.pick(FILTERS), qos: chance.int(3) as QoS }];
      if (chance.oneIn(2)) wants.push({ filter: chance.pick(MORE_FILTERS), qos: chance.int(3) as QoS });
      return this.#client(`client-${at}`, chance.oneIn(4) ? [shared] : wants);
    });
  }

  #client(id: string, wants: readonly Subscribing[]): SimClient {
    const version = this.#chance.oneIn(4) ? 4 : 5;
    return new SimClient({ id, version, wants }, this.#ledger, this.#chance, () => this.#clock.nowMs());
  }

  async play(): Promise<Outcome> {
    await this.#start();
    const steps = this.#chance.between(200, 800);
    for (; this.step < steps; this.step++) {
      await this.#act();
      await this.#turn();
      this.#check();
    }
    await this.#finish();
    this.#check();
    this.#ledger.settle(this.#clock.nowMs());
    this.#ledger.settleRetained(await this.#retained());
    return { seed: this.#seed, steps, crashes: this.#crashes, ...this.#ledger.counts };
  }

  async end(): Promise<void> {
    this.#engine?.crash();
    for (const wire of this.#wires) wire.cut();
    this.#deferred = [];
    await this.#turn();
  }

  async #act(): Promise<void> {
    const chance = this.#chance;
    const client = chance.pick(this.#clients);
    const roll = chance.int(1000);
    this.#pass(chance.int(6));
    if (chance.oneIn(2)) this.#deferred.shift()?.();
    if (roll < 330)
      client.publish(chance.pick(TOPICS), chance.int(3) as QoS, {
        expirySeconds: chance.oneIn(8) ? chance.between(1, 100) : 0,
      });
    // Each client alone publishes to its own, and always with the same QoS: there is one that is the last.
    else if (roll < 350) client.publish(`kept/${client.id}`, client.version === 5 ? 2 : 1, { retain: true });
    else if (roll < 800) client.acknowledge();
    else if (roll < 880) this.#pass(10);
    else if (roll < 940) {
      if (!client.isOnline || chance.oneIn(6)) this.#connect(client);
    } else if (roll < 965) this.#advance(chance.pick([1, 5, 250, 1_000, 20_000]));
    else if (roll < 980) client.cut();
    else if (roll < 988)
      this.#disk.fault = this.#disk.fault === undefined ? new Error('no space left on device') : undefined;
    else if (roll < 993) await this.#crash();
    else if (roll < 995) await this.#restart();
    else this.#deferred.splice(0).forEach((run) => run());
  }

  /** The network lets some bytes pass. */
  #pass(times = 1): void {
    for (let left = times; left > 0; left--) {
      const busy = this.#wires.filter((wire) => wire.isBusy);
      if (busy.length === 0) return;
      this.#chance.pick(busy).pass(this.#chance);
    }
  }

  #connect(client: SimClient): void {
    const wire: WireEnd = new WireEnd(
      (bytes) => client.take(wire, bytes),
      () => {
        this.#wires = this.#wires.filter((one) => one !== wire);
        client.lost(wire);
      },
    );
    this.#wires.push(wire);
    client.connect(wire);
    this.#broker?.accept(wire, { listener: LISTENER, address: '10.0.0.1' });
  }

  #advance(ms: number): void {
    this.#clock.advance(ms);
    const now = this.#clock.monotonicMs();
    const due = this.#timers.filter(({ dueMs }) => dueMs <= now);
    this.#timers = this.#timers.filter(({ dueMs }) => dueMs > now);
    for (const { run } of due) run();
    this.#broker?.tick();
  }

  /** The machine loses its power in the middle of whatever it does. */
  async #crash(): Promise<void> {
    this.#crashes += 1;
    this.#engine?.crash();
    this.#engine = undefined;
    this.#broker = undefined;
    for (const wire of [...this.#wires]) wire.cut();
    this.#deferred = [];
    this.#timers = [];
    this.#disk.fault = undefined;
    await this.#turn();
    await this.#start();
  }

  /** The broker is told to end, and starts again. */
  async #restart(): Promise<void> {
    if (this.#disk.fault !== undefined) return;
    const stopping = this.#broker?.stop(0);
    await this.#until(stopping);
    for (const wire of [...this.#wires]) wire.cut();
    this.#deferred = [];
    this.#timers = [];
    await this.#start();
  }

  async #start(): Promise<void> {
    const defer = (run: () => void): void => void this.#deferred.push(run);
    const engine = new TornEngine(this.#disk, { defer, oneIn: (n) => this.#chance.oneIn(n) });
    this.#engine = engine;
    const opening = openLevelStore(engine, {
      lingerMs: 5,
      defer,
      after: (ms, run) => void this.#timers.push({ dueMs: this.#clock.monotonicMs() + ms, run }),
      nowMs: () => this.#clock.nowMs(),
    });
    await this.#until(opening);
    const store = await opening;
    this.#store = store;
    const broker = createBroker({
      config: {
        number: 1,
        // Never opened: who is anonymous on it is known after a restart.
        listeners: [{ ...LISTENER, url: 'mqtt://sim', host: '', port: 0, path: '', connectionsMax: 0, origins: [] }],
        limits: this.#limits,
        admission: {
          handshakesAtOnceMax: 100,
          connectionsPerSourceMax: 1000,
          waitingMax: 100,
          lagMsMax: 200,
          exempt: [],
        },
        store: { kind: 'level', lingerMs: 5 },
      },
      directory: {
        find: () => undefined,
        list: () => [],
        put: () => Promise.resolve(),
        remove: () => Promise.resolve(false),
      },
      trust: { number: 1, issuers: [] },
      clock: this.#clock,
      random: new SeededRandom(this.#chance.int(0x7fff_ffff)),
      // What a broker that lost its power says is heard by nobody.
      observers: [(event) => engine === this.#engine && this.#observe(event)],
      store,
    });
    await this.#until(broker.restore());
    this.#broker = broker;
  }

  /** Lets deferred work happen until a promise is settled. */
  async #until(promise: Promise<unknown> | undefined): Promise<void> {
    if (promise === undefined) return;
    let isSettled = false;
    promise.then(
      () => (isSettled = true),
      () => (isSettled = true),
    );
    for (let turns = 0; !isSettled; turns++) {
      if (turns > 10_000) throw new Error('the store or the broker does not come to rest');
      this.#deferred.shift()?.();
      await this.#turn();
    }
    await promise;
  }

  /** Everybody connects, everything passes, every acknowledgement is sent, until nothing moves. */
  async #finish(): Promise<void> {
    this.#disk.fault = undefined;
    for (let quiet = 0, rounds = 0; quiet < 50; rounds++) {
      if (rounds > 20_000)
        throw new Error(`still unfinished: ${this.#clients.filter((one) => !one.isDone).map((one) => one.id)}`);
      let moved = false;
      if (rounds % 40 === 0) this.#advance(1_100);
      for (const client of this.#clients) {
        if (!client.isOnline) this.#connect(client);
        client.acknowledge();
        if (!client.isDone) moved = true;
      }
      const work = this.#deferred.splice(0);
      if (work.length > 0 || this.#wires.some((wire) => wire.isBusy)) moved = true;
      for (const run of work) run();
      this.#pass(20);
      await this.#turn();
      this.#check();
      quiet = moved ? 0 : quiet + 1;
    }
  }

  #observe(event: BrokerEvent): void {
    if (event.name === 'broker.assertion') this.#broken = event.why;
    if (event.name === 'store.damaged') this.#broken = event.why;
    if (event.name === 'peer.refused') this.#clients.find(({ id }) => id === event.clientId)?.refused();
    if (event.name === 'session.dropped-message') {
      if (this.#limits.queueMessagesMax === DEFAULT_LIMITS.queueMessagesMax) {
        this.#broken = `dropped for ${event.clientId}: ${event.why}`;
      }
      this.#ledger.giveUp(event.clientId as string);
    }
  }

  #check(): void {
    if (this.#broken !== undefined) throw new Error(this.#broken);
    for (const { clientId, queuedMessages, inFlight } of this.#broker?.clients() ?? []) {
      const owed = queuedMessages + inFlight;
      if (owed > this.#limits.queueMessagesMax) throw new Error(`${clientId} is owed ${owed} messages`);
    }
  }

  /** The number of the message that the store retains, by topic. */
  async #retained(): Promise<ReadonlyMap<string, number>> {
    const retained = new Map<string, number>();
    const store = this.#store as Store;
    let cursor: Cursor;
    let isDone = false;
    while (!isDone) {
      await this.#until(
        new Promise<void>((resolve) =>
          store.matchRetained('#' as TopicFilter, cursor, 100, (messages, next) => {
            for (const { topic, payload } of messages) retained.set(topic, Number(new TextDecoder().decode(payload)));
            cursor = next;
            isDone = next === undefined;
            resolve();
          }),
        ),
      );
    }
    return retained;
  }

  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const TOPICS = ['plant/a', 'plant/b', 'plant/b/c', 'other'];
const FILTERS = ['plant/#', 'plant/+', '#', 'plant/a', 'other'];
const MORE_FILTERS = ['+/b', 'plant/b/#', '+/+/c'];

const LISTENER: ListenerFacts = {
  name: 'sim',
  scheme: 'mqtt',
  authentication: 'none',
  role: 'lab',
  clientIds: 'any',
  versions: [3, 4, 5],
};
