// Shared subscriptions (MQTT 5.0, 4.8.2; offered to MQTT 3 clients too): which one member of a group gets a message.
// Owns the choice; joining and leaving is in subscriptions.ts, what members may receive is settled by the router.

import type { Subscriber } from './subscriber.ts';
import type { Member } from './subscriptions.ts';
import type { Target } from './target.ts';

/** One group at one filter, for as long as it has members. */
export class GroupState<S extends Subscriber> {
  readonly name: string;
  /** `$share/NAME/FILTER`. */
  readonly filter: string;
  readonly members: Member<S>[] = [];
  /** Where the next choice starts; raised by each, so that equals take turns. */
  turn = 0;

  constructor(name: string, filter: string) {
    this.name = name;
    this.filter = filter;
  }
}

/** A group as one topic's route sees it: the members that may receive this topic. */
export class SharedGroup<S extends Subscriber> {
  /** `$share/NAME/FILTER`, the same for as long as the group exists and after. */
  readonly filter: string;
  readonly targets: readonly Target<S>[];
  readonly #state: GroupState<S>;

  constructor(state: GroupState<S>, targets: readonly Target<S>[]) {
    this.filter = state.filter;
    this.targets = targets;
    this.#state = state;
  }

  /**
   * The one member for the next message (4.8.2): of the online members that `can` take it the one with the fewest
   * in flight, equals in turn; members that are away only if none of those can. Undefined if none can: the caller may
   * ask again with a predicate that also admits queueing.
   */
  choose(can: (target: Target<S>) => boolean): Target<S> | undefined {
    const targets = this.targets;
    const count = targets.length;
    if (count === 0) return undefined;
    const start = this.#state.turn % count;
    let best = -1;
    let fewest = Number.POSITIVE_INFINITY;
    for (let step = 0; step < count && fewest > 0; step++) {
      const at = start + step < count ? start + step : start + step - count;
      const target = targets[at] as Target<S>;
      const { subscriber } = target;
      if (!subscriber.online) continue;
      if (subscriber.inFlight >= fewest || !can(target)) continue;
      fewest = subscriber.inFlight;
      best = at;
    }
    if (best === -1) best = this.#firstAway(start, can);
    if (best === -1) return undefined;
    this.#state.turn = best + 1;
    return targets[best];
  }

  #firstAway(start: number, can: (target: Target<S>) => boolean): number {
    const targets = this.targets;
    for (let step = 0; step < targets.length; step++) {
      const at = (start + step) % targets.length;
      const target = targets[at] as Target<S>;
      if (!target.subscriber.online && can(target)) return at;
    }
    return -1;
  }
}
