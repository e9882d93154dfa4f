// The whole of it under one seed: the real broker on the real durable store, over a disk that can be torn away, a network that
// delays and cuts, clients that come back, and a clock that moves when the world says so. After every step what was
// promised is checked; at the end everybody gets every chance to be given what is owed.

import type { QoS } from '@motte/wire';
import type { BrokerEvent } from '../../packages/broker/src/events.ts';
import { DEFAULT_LIMITS, type Limits } from '../../packages/broker/src/ports/limits.ts';
import { Chance } from '../fuzz/chance.ts';
import { FILTERS, MORE_FILTERS, TOPICS } from './fields.ts';
import { Guest } from './guest.ts';
import { type Incident, type IncidentKind, type IncidentParts, incidentOf } from './incident.ts';
import { Ledger } from './ledger.ts';
import { Machine } from './machine.ts';
import { Network, type Peer } from './network.ts';
import { Policies } from './policies.ts';
import { Removals } from './removals.ts';
import { RetainedLedger } from './retained-ledger.ts';
import { RetainedReader } from './retained-reader.ts';
import { KEPT } from './retained-view.ts';
import { SimClient, type Subscribing } from './sim-client.ts';
import { SlowReaders } from './slow-readers.ts';

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
  readonly #limits: Limits;
  readonly #machine: Machine;
  readonly #network: Network;
  readonly #ledger = new Ledger(() => this.#machine.crashes);
  readonly #clients: SimClient[];
  readonly #retained: RetainedLedger;
  readonly #readers: RetainedReader[];
  readonly #guests: Guest[];
  readonly #kind: IncidentKind | undefined;
  readonly #incident: Incident | undefined;
  #broken: string | undefined = undefined;
  /** The step at which nothing new happens for a while. */
  #calmAt = -1;

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
    this.#kind = incidentOf(seed);
    if (this.#kind === 'slow') this.#limits = { ...this.#limits, unsentBytesMax: chance.between(400, 900) };
    this.#network = new Network(chance);
    this.#machine = new Machine({
      chance,
      limits: this.#limits,
      observe: (event) => this.#observe(event),
      cutAll: () => this.#network.cutAll(),
    });
    const shared: Subscribing = { filter: `$share/pool/${chance.pick(FILTERS)}`, qos: chance.int(3) as QoS };
    this.#clients = Array.from({ length: chance.between(2, 5) }, (_, at) => {
      const wants: Subscribing[] = [{ filter: chance.pick(FILTERS), qos: chance.int(3) as QoS }];
      if (chance.oneIn(2)) wants.push({ filter: chance.pick(MORE_FILTERS), qos: chance.int(3) as QoS });
      return this.#client(`client-${at}`, chance.oneIn(4) ? [shared] : wants);
    });
    this.#retained = new RetainedLedger(() => this.#machine.shakes);
    this.#readers = Array.from({ length: chance.oneIn(2) ? chance.between(1, 2) : 0 }, (_, at) => this.#reader(at));
    this.#guests = this.#invite();
    this.#incident = this.#kind && INCIDENTS[this.#kind](this.#partsOfIncident);
  }

  get #partsOfIncident(): IncidentParts {
    return {
      ...{ chance: this.#chance, limits: this.#limits, machine: this.#machine, ledger: this.#ledger },
      clients: this.#clients,
      connect: (client) => this.#connect(client),
    };
  }

  #client(id: string, wants: readonly Subscribing[]): SimClient {
    const version = this.#chance.oneIn(4) ? 4 : 5;
    const asksAlways = this.#kind === 'slow';
    return new SimClient({ id, version, wants, asksAlways }, this.#ledger, this.#chance, () =>
      this.#machine.clock.nowMs(),
    );
  }

  /** Guests have wills, and somebody who waits for them. */
  #invite(): Guest[] {
    const chance = this.#chance;
    if (!chance.oneIn(2)) return [];
    this.#clients.push(this.#client('watcher', [{ filter: 'will/#', qos: 2 }]));
    return Array.from({ length: chance.between(1, 2) }, (_, at) => {
      const options = { id: `guest-${at}`, version: chance.oneIn(4) ? 4 : 5 } as const;
      return new Guest(options, this.#ledger, this.#machine, chance);
    });
  }

  #reader(at: number): RetainedReader {
    const chance = this.#chance;
    const version = chance.oneIn(3) ? 4 : 5;
    const options = { id: `reader-${at}`, version, qos: chance.int(3) as QoS, isKept: chance.oneIn(3) } as const;
    const parts = {
      ...{ ledger: this.#ledger, retained: this.#retained, nowMs: () => this.#machine.clock.nowMs() },
      runs: () => this.#machine.crashes + this.#machine.stops,
      losesQoS0: this.#limits.unsentBytesMax !== DEFAULT_LIMITS.unsentBytesMax,
    };
    return new RetainedReader(options, parts, chance);
  }

  async play(): Promise<Outcome> {
    await this.#machine.start();
    const steps = this.#chance.between(200, 800);
    for (; this.step < steps; this.step++) {
      await this.#act();
      await this.#machine.turn();
      this.#check();
      if (this.step === this.#calmAt) await this.#calm();
    }
    await this.#finish();
    this.#incident?.check();
    await this.#bury();
    for (const reader of this.#readers) reader.subscribeAll();
    await this.#finish();
    for (const reader of this.#readers) reader.check();
    this.#check();
    this.#ledger.settle(this.#machine.clock.nowMs());
    await this.#settleRetained();
    return { seed: this.#seed, steps, crashes: this.#machine.crashes, ...this.#ledger.counts };
  }

  async end(): Promise<void> {
    await this.#machine.end();
  }

  async #act(): Promise<void> {
    const chance = this.#chance;
    const machine = this.#machine;
    const client = chance.pick(this.#clients);
    this.#network.pass(chance.int(6));
    if (chance.oneIn(2)) machine.workOnce();
    if (this.#incident !== undefined && chance.oneIn(6)) {
      await this.#incident.act();
      if (chance.oneIn(8)) this.#calmSoon();
      return;
    }
    if (this.#readers.length > 0 && chance.oneIn(4)) {
      this.#actOnRetained(client);
      return;
    }
    if (this.#guests.length > 0 && chance.oneIn(6)) {
      this.#actOnGuest(chance.pick(this.#guests));
      return;
    }
    const roll = chance.int(1000);
    if (roll < 330)
      client.publish(chance.pick(TOPICS), chance.int(3) as QoS, {
        expirySeconds: chance.oneIn(8) ? chance.between(1, 100) : 0,
      });
    else if (roll < 350) this.#retain(client);
    else if (roll < 790) client.acknowledge();
    else if (roll < 870) this.#network.pass(10);
    else if (roll < 930) {
      if (!client.isOnline || chance.oneIn(6)) this.#connect(client);
    } else if (roll < 955) machine.advance(chance.pick([1, 5, 250, 1_000, 20_000]));
    else if (roll < 970) client.cut();
    else if (roll < 978) machine.fill(!machine.isFull);
    else if (roll < 985) await machine.crash();
    else if (roll < 988) await machine.restart();
    else machine.work();
  }

  /** Each client alone publishes to its own topics, one message after the other: there is one that is the last. */
  #retain(client: SimClient): void {
    const chance = this.#chance;
    const qos = chance.int(3) as QoS;
    const topic = `${KEPT}${client.id}/${qos}`;
    if (client.isPublishing(topic)) return;
    const isClear = chance.oneIn(6);
    const expirySeconds = !isClear && chance.oneIn(6) ? chance.between(1, 60) : 0;
    const sent = client.publish(topic, qos, { retain: true, isClear, expirySeconds });
    if (sent !== undefined) this.#retained.add(sent);
  }

  #actOnRetained(client: SimClient): void {
    const chance = this.#chance;
    const reader = chance.pick(this.#readers);
    const roll = chance.int(100);
    if (!reader.isOnline || roll < 3) this.#connect(reader);
    else if (roll < 40) this.#retain(chance.oneIn(2) ? client : (this.#clients[0] as SimClient));
    else if (roll < 70) {
      reader.act();
      if (chance.oneIn(2)) this.#calmSoon();
    } else if (roll < 96) for (let left = 4; left > 0; left--) reader.acknowledge();
    else reader.cut();
  }

  #actOnGuest(guest: Guest): void {
    const chance = this.#chance;
    // Also while it is connected, but not before that was answered.
    if (!guest.isOnline || (guest.isConnected && chance.oneIn(8))) this.#connect(guest);
    else if (chance.oneIn(5)) guest.leave();
    else if (!guest.isConnected && chance.oneIn(10)) guest.cut();
    if (chance.oneIn(8)) this.#calmSoon();
  }

  #calmSoon(): void {
    if (this.#calmAt <= this.step) this.#calmAt = this.step + this.#chance.between(1, 16);
  }

  /** The guests go, and what they left comes. */
  async #bury(): Promise<void> {
    if (this.#guests.length === 0) return;
    this.#ledger.settle(this.#machine.clock.nowMs());
    for (const guest of this.#guests) guest.cut();
    await this.#calm();
    this.#machine.advance(WILL_MS);
    await this.#finish();
    await this.#calm();
  }

  #connect(peer: Peer): void {
    this.#network.connect(peer, this.#machine);
  }

  /** For a while nothing new happens: what is under way passes, and whoever is there has what is due. */
  async #calm(): Promise<void> {
    const machine = this.#machine;
    this.#incident?.rest();
    for (let quiet = 0, rounds = 0; quiet < 8; rounds++) {
      if (!machine.isSound) return;
      if (rounds > 5_000) throw new Error(`it does not calm down: ${this.#peers.map((one) => one.state)}`);
      if (rounds % 4 === 0) machine.advance(3);
      for (const peer of this.#peers) peer.acknowledge();
      quiet = machine.isBusy || this.#network.isBusy ? 0 : quiet + 1;
      machine.work();
      this.#network.pass(20);
      await machine.turn();
      this.#check();
    }
    for (const reader of this.#readers) reader.check();
    for (const guest of this.#guests) guest.calm();
    this.#incident?.check();
  }

  get #peers(): readonly Peer[] {
    return [...this.#clients, ...this.#readers];
  }

  /** Everybody connects, everything passes, every acknowledgement is sent, until nothing moves. */
  async #finish(): Promise<void> {
    this.#machine.fill(false);
    this.#incident?.rest();
    for (let quiet = 0, rounds = 0; quiet < 50; rounds++) {
      if (rounds > 20_000) throw new Error(`still unfinished: ${this.#peers.map((one) => one.state)}`);
      let moved = false;
      if (rounds % 40 === 0) this.#machine.advance(1_100);
      for (const peer of this.#peers) {
        if (!peer.isOnline) this.#connect(peer);
        peer.acknowledge();
        if (!peer.isDone) moved = true;
      }
      if (this.#machine.isBusy || this.#network.isBusy) moved = true;
      this.#machine.work();
      this.#network.pass(20);
      await this.#machine.turn();
      this.#check();
      quiet = moved ? 0 : quiet + 1;
    }
  }

  #observe(event: BrokerEvent): void {
    if (this.#incident?.observe?.(event) === true) return;
    if (event.name === 'broker.assertion') this.#broken = event.why;
    if (event.name === 'store.damaged') this.#broken = event.why;
    if (event.name === 'peer.refused') this.#clients.find(({ clientId }) => clientId === event.clientId)?.refused();
    if (event.name === 'session.dropped-message') {
      if (this.#limits.queueMessagesMax === DEFAULT_LIMITS.queueMessagesMax) {
        this.#broken = `dropped for ${event.clientId}: ${event.why}`;
      }
      const reader = this.#readers.find(({ id }) => id === event.clientId);
      const client = this.#clients.find(({ clientId }) => clientId === event.clientId);
      if (reader === undefined) this.#ledger.giveUp(client?.id ?? (event.clientId as string));
      else reader.gaveUp(event.topic);
    }
  }

  #check(): void {
    this.#machine.feel();
    if (this.#broken !== undefined) throw new Error(this.#broken);
    const ending = new Set<string>(this.#readers.filter((one) => !one.isKept).map(({ id }) => id));
    for (const { clientId, queuedMessages, inFlight, unsentBytes } of this.#machine.broker?.clients() ?? []) {
      // Of a session that ends with its connection only what waits is bounded by the queue.
      const owed = queuedMessages + (ending.has(clientId) ? 0 : inFlight);
      if (owed > this.#limits.queueMessagesMax) throw new Error(`${clientId} is owed ${owed} messages`);
      // Behind what congested it may come the answers to what was read before.
      if (unsentBytes > this.#limits.unsentBytesMax + ANSWERS_BYTES)
        throw new Error(`${clientId} has ${unsentBytes} B`);
    }
  }

  /** What the store retains at the end is what was published last. */
  async #settleRetained(): Promise<void> {
    const messages = await this.#machine.retained();
    const numbers = new Map<string, number>(
      messages.map(({ topic, payload }) => [topic, Number(new TextDecoder().decode(payload))]),
    );
    for (const topic of new Set([...this.#retained.topics, ...numbers.keys()])) {
      const possible = this.#retained.possible(topic);
      const number = numbers.get(topic);
      if (!possible.includes(number)) {
        throw new Error(`[MQTT-3.3.1-5] retained at ${topic} is ${number}, not ${possible.join(' or ')}`);
      }
    }
  }
}

/** Those to all that a client may have under way. */
const ANSWERS_BYTES = 1_000;

const INCIDENTS: Readonly<Record<IncidentKind, (parts: IncidentParts) => Incident>> = {
  policy: (parts) => new Policies(parts),
  removal: (parts) => new Removals(parts),
  slow: (parts) => new SlowReaders(parts),
};

/** Longer than any will waits. */
const WILL_MS = 60_000;
