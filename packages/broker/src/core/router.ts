// Who gets a message: the receivers of a topic, remembered. Owns the route cache and its bounds; asks subscriptions.ts
// who matches and access, through a function, what they may receive. Does not deliver.
//
// A remembered route holds as long as three stamps have not moved: that of its first topic level (any subscription below
// it changed), that of all filters that start with a wildcard, and the policy's generation. First levels share
// a fixed number of slots by hash: two that collide cost each other a rebuild, never a wrong route, and nobody
// can make the table grow. The cache has two generations: what was not asked for while one filled up is forgotten.

import { levelsOf, type TopicFilter, type TopicName } from '@motte/wire';
import type { ReceiveVerdict } from '../ports/access.ts';
import type { StoredSubscription } from '../ports/store.ts';
import { SharedGroup } from './shared-group.ts';
import type { Subscriber } from './subscriber.ts';
import { type FilterEntry, type Member, plainFilter, Subscriptions } from './subscriptions.ts';
import { Target } from './target.ts';

export type { SharedGroup } from './shared-group.ts';
export type { Target } from './target.ts';

export interface RouterOptions<S extends Subscriber> {
  /** Topics whose route is remembered, both generations together. */
  readonly routesMax: number;
  readonly levelsMax: number;
  readonly subscriptionsMax: number;
  /** Asked once per subscriber when a route is built. */
  readonly receive: (subscriber: S, topic: TopicName) => ReceiveVerdict;
  readonly policyGeneration: () => number;
}

/** The receivers of one topic; a snapshot that no later change touches. */
export interface Route<S extends Subscriber> {
  readonly targets: readonly Target<S>[];
  readonly groups: readonly SharedGroup<S>[];
  /** True if the topic has more levels than are taken; it then has no receivers. */
  readonly isTooDeep: boolean;
}

interface StampedRoute<S extends Subscriber> extends Route<S> {
  readonly slot: number;
  readonly stamp: number;
  readonly wildStamp: number;
  readonly policy: number;
}

export class Router<S extends Subscriber> {
  readonly #subscriptions: Subscriptions<S>;
  readonly #receive: (subscriber: S, topic: TopicName) => ReceiveVerdict;
  readonly #policyGeneration: () => number;
  readonly #levelsMax: number;
  readonly #generationRoutesMax: number;
  readonly #generationWeightMax: number;
  readonly #stamps = new Float64Array(SLOTS);
  #wildStamp = 0;
  #current = new Map<TopicName, StampedRoute<S>>();
  #previous = new Map<TopicName, StampedRoute<S>>();
  #weight = 0;

  constructor(options: RouterOptions<S>) {
    this.#subscriptions = new Subscriptions(options);
    this.#levelsMax = options.levelsMax;
    this.#receive = options.receive;
    this.#policyGeneration = options.policyGeneration;
    this.#generationRoutesMax = Math.max(1, Math.floor(options.routesMax / 2));
    this.#generationWeightMax = this.#generationRoutesMax * ROUTE_WEIGHT;
  }

  /** Number of subscriptions, shared ones included. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /** True if no further subscription is taken. */
  get full(): boolean {
    return this.#subscriptions.full;
  }

  /** Routes remembered at the moment, both generations. */
  get routesRemembered(): number {
    return this.#current.size + this.#previous.size;
  }

  /** True if the filter, without its share, has more levels than are taken. */
  isTooDeep(filter: TopicFilter): boolean {
    return this.#subscriptions.isTooDeep(filter);
  }

  /** Adds a subscription or replaces the one at the same filter; `refused` only if `full` or `isTooDeep` held. */
  subscribe(subscriber: S, subscription: StoredSubscription): 'new' | 'replaced' | 'refused' {
    const outcome = this.#subscriptions.subscribe(subscriber, subscription);
    if (outcome === 'same') return 'replaced';
    if (outcome !== 'refused') this.#touch(subscription.filter);
    return outcome;
  }

  /** True if there was such a subscription. */
  unsubscribe(subscriber: S, filter: TopicFilter): boolean {
    if (!this.#subscriptions.unsubscribe(subscriber, filter)) return false;
    this.#touch(filter);
    return true;
  }

  /** Takes away all subscriptions of the subscriber. */
  drop(subscriber: S): void {
    this.refresh(subscriber);
    this.#subscriptions.drop(subscriber);
  }

  /** To be called when the subscriber's own rights were made anew: its receive verdicts are asked for again. */
  refresh(subscriber: S): void {
    for (const filter of this.#subscriptions.filtersOf(subscriber)) this.#touch(filter);
  }

  /** True if the subscriber stands at exactly this filter. */
  has(subscriber: S, filter: TopicFilter): boolean {
    return this.#subscriptions.has(subscriber, filter);
  }

  /** Number of subscriptions of one subscriber. */
  countOf(subscriber: S): number {
    return this.#subscriptions.countOf(subscriber);
  }

  /** The filters of one subscriber, shared ones as `$share/NAME/FILTER`. */
  filtersOf(subscriber: S): Iterable<TopicFilter> {
    return this.#subscriptions.filtersOf(subscriber);
  }

  /** Who gets a message of this topic; for a topic seen before usually one look-up. */
  route(topic: TopicName): Route<S> {
    const known = this.#current.get(topic);
    if (known !== undefined && this.#holds(known)) return known;
    return this.#renew(topic, known);
  }

  #holds(route: StampedRoute<S>): boolean {
    return (
      route.stamp === this.#stamps[route.slot] &&
      route.wildStamp === this.#wildStamp &&
      route.policy === this.#policyGeneration()
    );
  }

  #renew(topic: TopicName, stale: StampedRoute<S> | undefined): Route<S> {
    const older = stale === undefined ? this.#previous.get(topic) : undefined;
    const route = older !== undefined && this.#holds(older) ? older : this.#build(topic);
    if (older !== undefined) this.#previous.delete(topic);
    if (stale !== undefined) this.#weight -= weightOf(topic, stale);
    const weight = weightOf(topic, route);
    const isFull = this.#current.size >= this.#generationRoutesMax && stale === undefined;
    if (isFull || (this.#weight + weight > this.#generationWeightMax && this.#current.size > 0)) {
      this.#current.delete(topic);
      this.#previous = this.#current;
      this.#current = new Map();
      this.#weight = 0;
    }
    this.#current.set(topic, route);
    this.#weight += weight;
    return route;
  }

  #build(topic: TopicName): StampedRoute<S> {
    const entries: FilterEntry<S>[] = [];
    const isTooDeep = levelsOf(topic) > this.#levelsMax;
    if (!isTooDeep) this.#subscriptions.match(topic, entries);
    let groups: SharedGroup<S>[] | undefined;
    const plain = entries.filter((entry) => entry.members.length > 0);
    for (const entry of entries) {
      if (entry.groups === undefined) continue;
      for (const state of entry.groups.values()) {
        const targets = this.#targetsOf(state.members, topic);
        if (targets.length === 0) continue;
        groups ??= [];
        groups.push(new SharedGroup(state, targets));
      }
    }
    const slot = slotOf(topic);
    return {
      targets: plain.length > 1 ? this.#mergedTargets(plain, topic) : this.#targetsOf(plain[0]?.members ?? [], topic),
      groups: groups ?? NO_GROUPS,
      isTooDeep,
      slot,
      stamp: this.#stamps[slot] as number,
      wildStamp: this.#wildStamp,
      policy: this.#policyGeneration(),
    };
  }

  /** Members of one filter: nobody is among them twice. */
  #targetsOf(members: readonly Member<S>[], topic: TopicName): readonly Target<S>[] {
    if (members.length === 0) return NO_TARGETS;
    const targets: Target<S>[] = [];
    for (const member of members) {
      const verdict = this.#receive(member.subscriber, topic);
      if (verdict !== 'never') targets.push(targetOf(member, verdict));
    }
    return targets;
  }

  /** Several filters match: a subscriber that stands at more than one gets one copy [MQTT-3.3.4-2]. */
  #mergedTargets(entries: readonly FilterEntry<S>[], topic: TopicName): Target<S>[] {
    const bySubscriber = new Map<S, Member<S> | Member<S>[]>();
    for (const entry of entries) {
      for (const member of entry.members) {
        const first = bySubscriber.get(member.subscriber);
        if (first === undefined) bySubscriber.set(member.subscriber, member);
        else if (Array.isArray(first)) first.push(member);
        else bySubscriber.set(member.subscriber, [first, member]);
      }
    }
    const targets: Target<S>[] = [];
    for (const [subscriber, found] of bySubscriber) {
      const verdict = this.#receive(subscriber, topic);
      if (verdict === 'never') continue;
      if (!Array.isArray(found)) {
        targets.push(targetOf(found, verdict));
        continue;
      }
      const subscriptions = found.map((member) => member.subscription);
      targets.push(new Target(subscriber, subscriptions, verdict));
    }
    return targets;
  }

  #touch(filter: TopicFilter): void {
    const plain = plainFilter(filter);
    const first = plain.charCodeAt(0);
    if (first === HASH || first === PLUS) {
      this.#wildStamp += 1;
      return;
    }
    const slot = slotOf(plain);
    this.#stamps[slot] = (this.#stamps[slot] as number) + 1;
  }
}

function targetOf<S extends Subscriber>(member: Member<S>, verdict: 'always' | 'ask'): Target<S> {
  if (verdict === 'always') {
    member.always ??= new Target(member.subscriber, [member.subscription], verdict);
    return member.always;
  }
  member.ask ??= new Target(member.subscriber, [member.subscription], verdict);
  return member.ask;
}

/** The slot of the first level, by FNV-1a over its UTF-16 code units. */
function slotOf(topic: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < topic.length; i++) {
    const unit = topic.charCodeAt(i);
    if (unit === SLASH) break;
    hash = Math.imul(hash ^ unit, FNV_PRIME);
  }
  return (hash ^ (hash >>> 16)) & (SLOTS - 1);
}

/** What a remembered route weighs, in pointers, roughly: its topic is the publisher's choice, its targets are not. */
function weightOf<S extends Subscriber>(topic: TopicName, route: Route<S>): number {
  let weight = 16 + (topic.length >> 3) + route.targets.length;
  for (const group of route.groups) weight += 16 + group.targets.length;
  return weight;
}

/** A power of two; 32 KiB of stamps. */
const SLOTS = 4096;
/** Mean weight per route that the cache is laid out for: 20,000 routes with 240 receivers each, some 40 MB. */
const ROUTE_WEIGHT = 256;
const NO_TARGETS: readonly never[] = Object.freeze([]);
const NO_GROUPS: readonly never[] = Object.freeze([]);
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const SLASH = 0x2f;
const HASH = 0x23;
const PLUS = 0x2b;
