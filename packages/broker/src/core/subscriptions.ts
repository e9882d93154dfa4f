// Who subscribed to what: one entry per filter in the trie, one list per subscriber. Owns adding, replacing and taking
// away (MQTT 5.0, 3.8.4 and 3.10.4; shared ones 4.8.2); does not decide who gets a message, which is the router's part.

import { shareOf, type TopicFilter, type TopicName } from '@motte/wire';
import type { StoredSubscription } from '../ports/store.ts';
import { GroupState } from './shared-group.ts';
import type { Subscriber } from './subscriber.ts';
import { Target } from './target.ts';
import { TopicTrie } from './topic-trie.ts';

/** A place that is about to be taken. */
const VACANT: unknown = undefined;

/** One subscription of one subscriber. */
export interface Member<S extends Subscriber> {
  readonly subscriber: S;
  subscription: StoredSubscription;
  readonly entry: FilterEntry<S>;
  /** The list it stands in: the entry's own or a group's. */
  readonly list: Member<S>[];
  /** Its place in that list, so that leaving costs the same in a list of one and of a million. */
  index: number;
  readonly group: GroupState<S> | undefined;
  /** What a route holds for it where no other subscription of the subscriber matches; made once, for all topics. */
  always: Target<S> | undefined;
  ask: Target<S> | undefined;
}

/** All that stands at one filter; for shared subscriptions the filter behind `$share/NAME/`. */
export interface FilterEntry<S extends Subscriber> {
  readonly filter: TopicFilter;
  readonly members: Member<S>[];
  groups: Map<string, GroupState<S>> | undefined;
}

export interface SubscriptionsOptions {
  readonly levelsMax: number;
  readonly subscriptionsMax: number;
}

/** What became of a subscription; `same` = it stood there already with the same options. */
export type SubscribeOutcome = 'new' | 'replaced' | 'same' | 'refused';

export class Subscriptions<S extends Subscriber> {
  readonly #subscriptionsMax: number;
  readonly #trie: TopicTrie<FilterEntry<S>>;
  readonly #bySubscriber = new Map<S, Map<TopicFilter, Member<S>>>();
  #size = 0;

  constructor(options: SubscriptionsOptions) {
    this.#subscriptionsMax = options.subscriptionsMax;
    this.#trie = new TopicTrie({ levelsMax: options.levelsMax, filtersMax: options.subscriptionsMax });
  }

  /** Number of subscriptions of all subscribers. */
  get size(): number {
    return this.#size;
  }

  get full(): boolean {
    return this.#size >= this.#subscriptionsMax;
  }

  /** True if the filter, without its share, has more levels than are taken. */
  isTooDeep(filter: TopicFilter): boolean {
    return this.#trie.isTooDeep(plainFilter(filter));
  }

  /** Adds or replaces [MQTT-3.8.4-3]; refused are filters that are too deep and anything new beyond the limit. */
  subscribe(subscriber: S, subscription: StoredSubscription): SubscribeOutcome {
    const own = this.#bySubscriber.get(subscriber);
    const known = own?.get(subscription.filter);
    if (known !== undefined) {
      const same = isSame(known.subscription, subscription);
      known.subscription = subscription;
      if (same) return 'same';
      known.always = undefined;
      known.ask = undefined;
      return 'replaced';
    }
    const member = this.full ? undefined : this.#join(subscriber, subscription);
    if (member === undefined) return 'refused';
    if (own === undefined) this.#bySubscriber.set(subscriber, new Map([[subscription.filter, member]]));
    else own.set(subscription.filter, member);
    this.#size += 1;
    return 'new';
  }

  /** Undefined if the filter is too deep. */
  #join(subscriber: S, subscription: StoredSubscription): Member<S> | undefined {
    const share = shareOf(subscription.filter);
    const entry = this.#trie.findOrInsert(
      share?.filter ?? subscription.filter,
      share === undefined ? entryForOne<S> : entryForGroups<S>,
    );
    if (entry === undefined) return undefined;
    let group: GroupState<S> | undefined;
    if (share !== undefined) {
      entry.groups ??= new Map();
      group = entry.groups.get(share.group);
      if (group === undefined) {
        group = new GroupState(share.group, subscription.filter);
        entry.groups.set(share.group, group);
      }
    }
    const list = group?.members ?? entry.members;
    const index = list[0] === VACANT ? 0 : list.length;
    const member = { subscriber, subscription, entry, list, index, group, always: undefined, ask: undefined };
    list[index] = member;
    return member;
  }

  /** True if there was such a subscription. */
  unsubscribe(subscriber: S, filter: TopicFilter): boolean {
    const own = this.#bySubscriber.get(subscriber);
    const member = own?.get(filter);
    if (own === undefined || member === undefined) return false;
    own.delete(filter);
    if (own.size === 0) this.#bySubscriber.delete(subscriber);
    this.#leave(member);
    return true;
  }

  /** Takes away all subscriptions of the subscriber. */
  drop(subscriber: S): void {
    const own = this.#bySubscriber.get(subscriber);
    if (own === undefined) return;
    this.#bySubscriber.delete(subscriber);
    for (const member of own.values()) this.#leave(member);
  }

  #leave(member: Member<S>): void {
    const { list, entry, group } = member;
    const last = list.pop();
    if (last !== undefined && last !== member) {
      list[member.index] = last;
      last.index = member.index;
    }
    this.#size -= 1;
    if (group !== undefined && group.members.length === 0) {
      entry.groups?.delete(group.name);
      if (entry.groups?.size === 0) entry.groups = undefined;
    }
    if (entry.members.length === 0 && entry.groups === undefined) this.#trie.remove(entry.filter);
  }

  /** True if the subscriber stands at exactly this filter. */
  has(subscriber: S, filter: TopicFilter): boolean {
    return this.#bySubscriber.get(subscriber)?.has(filter) === true;
  }

  /** Number of subscriptions of one subscriber. */
  countOf(subscriber: S): number {
    return this.#bySubscriber.get(subscriber)?.size ?? 0;
  }

  /** The filters of one subscriber, shared ones as `$share/NAME/FILTER`. */
  filtersOf(subscriber: S): Iterable<TopicFilter> {
    return this.#bySubscriber.get(subscriber)?.keys() ?? [];
  }

  /** Appends every entry whose filter matches the topic. */
  match(topic: TopicName, into: FilterEntry<S>[]): void {
    this.#trie.match(topic, into);
  }
}

/** Most filters have one subscriber: a literal has room for one, where the first push makes room for seventeen. */
function entryForOne<S extends Subscriber>(filter: TopicFilter): FilterEntry<S> {
  return { filter, members: [VACANT as Member<S>], groups: undefined };
}

function entryForGroups<S extends Subscriber>(filter: TopicFilter): FilterEntry<S> {
  return { filter, members: [], groups: undefined };
}

/** The filter that topics are matched against: a shared one without `$share/NAME/`. */
export function plainFilter(filter: TopicFilter): TopicFilter {
  return shareOf(filter)?.filter ?? filter;
}

/** Equal in all that changes delivery; Retain Handling only matters at the time of SUBSCRIBE. */
function isSame(a: StoredSubscription, b: StoredSubscription): boolean {
  return (
    a.qos === b.qos &&
    a.noLocal === b.noLocal &&
    a.retainAsPublished === b.retainAsPublished &&
    a.subscriptionIdentifier === b.subscriptionIdentifier
  );
}
