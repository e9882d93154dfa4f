// One receiver in a route: what a message to this subscriber looks like once all its matching subscriptions are taken
// together (MQTT 5.0, 3.3.4). Owns that computation; does not know topics, rights or connections.

import type { QoS } from '@motte/wire';
import type { StoredSubscription } from '../ports/store.ts';
import type { Subscriber } from './subscriber.ts';

/** `ask` = access decides message by message; subscribers that never receive are not in a route at all. */
export type TargetVerdict = 'always' | 'ask';

export class Target<S extends Subscriber> {
  readonly subscriber: S;
  /** The highest maximum QoS of the subscriptions that match [MQTT-3.3.4-2]. */
  readonly qos: QoS;
  /** True if what the subscriber gets of its own messages differs: deliver those by `own`. */
  readonly noLocal: boolean;
  /** True if any subscription asks for it: the standard leaves overlaps open, and a flag kept loses nothing. */
  readonly retainAsPublished: boolean;
  /** Every identifier once, in the order the subscriptions were found [MQTT-3.3.4-3, MQTT-3.3.4-4]. */
  readonly subscriptionIds: readonly number[];
  readonly verdict: TargetVerdict;
  /** What is left for messages that the subscriber published itself [MQTT-3.8.3-3]; itself where No Local plays no part. */
  readonly own: Target<S> | undefined;

  constructor(subscriber: S, subscriptions: readonly StoredSubscription[], verdict: TargetVerdict) {
    let qos: QoS = 0;
    let noLocal = false;
    let retainAsPublished = false;
    let ids: number[] | undefined;
    for (const subscription of subscriptions) {
      if (subscription.qos > qos) qos = subscription.qos;
      if (subscription.noLocal) noLocal = true;
      if (subscription.retainAsPublished) retainAsPublished = true;
      const id = subscription.subscriptionIdentifier;
      if (id === 0) continue;
      if (ids === undefined) ids = [id];
      else if (!ids.includes(id)) ids.push(id);
    }
    this.subscriber = subscriber;
    this.qos = qos;
    this.noLocal = noLocal;
    this.retainAsPublished = retainAsPublished;
    this.subscriptionIds = ids ?? NO_IDS;
    this.verdict = verdict;
    if (noLocal) {
      const others = subscriptions.filter((subscription) => !subscription.noLocal);
      this.own = others.length === 0 ? undefined : new Target(subscriber, others, verdict);
    } else {
      this.own = this;
    }
  }
}

const NO_IDS: readonly number[] = Object.freeze([]);
