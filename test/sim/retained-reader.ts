// A client that comes for what is retained: subscribes at any moment, again and again, leaves and comes back.

import type { Packet, Publish, QoS } from '@motte/wire';
import type { Chance } from '../fuzz/chance.ts';
import { Endpoint, type EndpointOwner, type Wire } from './endpoint.ts';
import type { Peer } from './network.ts';
import { type Handling, RetainedView, type ViewParts } from './retained-view.ts';

export interface ReaderOptions {
  readonly id: string;
  readonly version: 4 | 5;
  readonly qos: QoS;
  /** True if its session outlives its connections. */
  readonly isKept: boolean;
}

export class RetainedReader implements EndpointOwner, Peer {
  readonly id: string;
  readonly version: 4 | 5;
  readonly #options: ReaderOptions;
  readonly #parts: ViewParts;
  readonly #chance: Chance;
  readonly #endpoint = new Endpoint(this);
  #view: RetainedView;
  #isConnected = false;
  /** True once a SUBACK has come in this session. */
  #isGranted = false;
  #lastPacketId = 0;
  #subscribing = 0;
  #leaving: string | undefined = undefined;

  constructor(options: ReaderOptions, parts: Omit<ViewParts, 'who' | 'qos'>, chance: Chance) {
    this.id = options.id;
    this.version = options.version;
    this.#options = options;
    this.#parts = { ...parts, who: options.id, qos: options.qos };
    this.#chance = chance;
    this.#view = new RetainedView(this.#parts);
  }

  /** True if its session outlives its connections. */
  get isKept(): boolean {
    return this.#options.isKept;
  }

  get isOnline(): boolean {
    return this.#endpoint.isOnline;
  }

  get isDone(): boolean {
    return this.#isConnected && this.#subscribing === 0 && this.#leaving === undefined && this.#endpoint.isDone;
  }

  get state(): string {
    return `${this.id} ${this.#isConnected ? 'connected' : 'away'}: ${this.#endpoint.state}`;
  }

  connect(wire: Wire): void {
    const { isKept } = this.#options;
    if (this.isOnline) this.#away();
    const limits = { receiveMaximum: this.#chance.between(1, 20), topicAliasMaximum: this.#chance.int(4) };
    this.#endpoint.begin(wire, limits);
    this.#endpoint.send({
      type: 'connect',
      version: this.version,
      clientId: this.id,
      cleanStart: !isKept,
      keepAlive: 0,
      properties: this.version === 5 ? { ...(isKept ? { sessionExpiryInterval: 0xffff_ffff } : {}), ...limits } : {},
    });
  }

  /** Does something at random, if it is connected. */
  act(): void {
    if (!this.#isConnected || this.#leaving !== undefined) return;
    const roll = this.#chance.int(10);
    if (roll < 7) this.#subscribe(this.#chance.between(1, 3));
    else if (roll < 9) this.#unsubscribe();
    else this.#endpoint.send({ type: 'disconnect', reasonCode: 0, properties: {} });
  }

  /** Asks for all there is. */
  subscribeAll(): void {
    this.#ask(['kept/#'], 0);
  }

  acknowledge(): void {
    this.#endpoint.acknowledge();
  }

  take(wire: Wire, bytes: Uint8Array): void {
    this.#endpoint.take(wire, bytes);
  }

  lost(wire: Wire): void {
    if (this.#endpoint.lost(wire)) this.#away();
  }

  cut(): void {
    this.#endpoint.cut();
  }

  gaveUp(topic: string): void {
    this.#view.gaveUp(topic);
  }

  /** All that was on its way has passed. */
  check(): void {
    if (this.#isConnected) this.#view.check();
  }

  arrived(message: Publish): void {
    this.#view.arrived(message);
  }

  received(packet: Packet): void {
    switch (packet.type) {
      case 'suback':
        this.#subscribing -= 1;
        if (packet.reasonCodes.some((code) => code <= 2)) this.#isGranted = true;
        this.#view.granted(packet.packetId, packet.reasonCodes);
        break;
      case 'unsuback':
        this.#view.unsubscribed(this.#leaving as string);
        this.#leaving = undefined;
        break;
      default:
        throw new Error(`${this.id} got a ${packet.type}`);
    }
  }

  accepted(sessionPresent: boolean): void {
    if (sessionPresent && !this.#options.isKept) throw new Error(`[MQTT-3.2.2-2] ${this.id} has a session`);
    if (!sessionPresent) {
      if (this.#isGranted && this.#options.isKept) throw new Error(`[MQTT-3.2.2-3] the session of ${this.id} is gone`);
      this.#view = new RetainedView(this.#parts);
      this.#isGranted = false;
      this.#endpoint.forget();
    }
    this.#view.cameBack();
    this.#isConnected = true;
  }

  #away(): void {
    this.#isConnected = false;
    this.#subscribing = 0;
    this.#leaving = undefined;
    this.#view.lost();
  }

  #subscribe(count: number): void {
    const filters = new Set(Array.from({ length: count }, () => this.#chance.pick(FILTERS)));
    this.#ask([...filters], this.version === 5 ? (this.#chance.int(3) as Handling) : 0);
  }

  #ask(filters: readonly string[], handling: Handling): void {
    const { qos } = this.#options;
    const packetId = this.#nextPacketId();
    this.#subscribing += 1;
    this.#view.subscribe(
      packetId,
      filters.map((filter) => ({ filter, handling })),
    );
    const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: handling };
    const subscriptions = filters.map((filter) => ({ filter, ...options }));
    this.#endpoint.send({ type: 'subscribe', packetId, subscriptions, properties: {} });
  }

  /** While nothing else is asked, so that it is known what stands. */
  #unsubscribe(): void {
    const { filters } = this.#view;
    if (filters.length === 0 || this.#subscribing > 0) return;
    const filter = this.#chance.pick(filters);
    this.#leaving = filter;
    this.#view.unsubscribe(filter);
    this.#endpoint.send({ type: 'unsubscribe', packetId: this.#nextPacketId(), filters: [filter], properties: {} });
  }

  #nextPacketId(): number {
    this.#lastPacketId += 1;
    return this.#lastPacketId;
  }
}

const FILTERS = [
  'kept/#',
  'kept/+/1',
  '+/+/2',
  'kept/client-0/#',
  'kept/client-1/+',
  'kept/client-0/0',
  '#',
  '+/client-1/1',
];
