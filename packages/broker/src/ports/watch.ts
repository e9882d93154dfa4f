// What one identity asked for while it was watched, and what it was given: what the narrowest rules for it are made of.

import type { QoS, TopicFilter, TopicName } from '@motte/wire';
import type { PayloadCarrier, Rights } from './access.ts';
import type { IdentityKind } from './identity.ts';

/** What the rule asked for that allowed it. */
export interface WatchedTerms {
  /** Name of a listener; undefined = any. */
  readonly via: string | undefined;
  /** The network as the rule has it, and the address it came from; that one is empty without a network. */
  readonly from: string | undefined;
  readonly address: string;
  /** Of a subscription: what messages it brings. */
  readonly qosMax: QoS;
  readonly noRetain: boolean;
}

/** All messages to one topic. */
export interface WatchedPublish {
  readonly topic: string;
  readonly qosMax: QoS;
  /** True if any of them had RETAIN. */
  readonly retained: boolean;
  readonly terms: WatchedTerms;
}

export interface WatchedFilter {
  /** Of a shared subscription, what follows `$share/NAME/`. */
  readonly filter: string;
  readonly terms: WatchedTerms;
}

export interface WatchedRefusal {
  readonly action: 'publish' | 'subscribe';
  readonly target: string;
  readonly because: string;
  readonly rule: string;
}

export interface WatchRecord {
  /** What it is; undefined = it was not there. */
  readonly kind: IdentityKind | undefined;
  /** Roles by which it acted. */
  readonly roles: readonly string[];
  readonly publishes: readonly WatchedPublish[];
  readonly filters: readonly WatchedFilter[];
  readonly refusals: readonly WatchedRefusal[];
  /** How often something was asked for that found no room; nothing else is known of it. */
  readonly unkept: { readonly publishes: number; readonly filters: number; readonly refusals: number };
}

/** What one session holds by rights that were asked for before anybody watched. */
export interface HeldRights {
  readonly rights: Rights;
  /** Without `$share/NAME/`. */
  readonly filters: readonly TopicFilter[];
  readonly wills: readonly (PayloadCarrier & {
    readonly topic: TopicName;
    readonly qos: QoS;
    readonly retain: boolean;
  })[];
}

/** `asked`: by whoever began it · `gone`: that one went away · `stopping`: the broker ends. */
export type WatchEnd = 'time' | 'asked' | 'gone' | 'stopping';

export interface EndedWatch {
  readonly why: WatchEnd;
  readonly seconds: number;
  readonly record: WatchRecord;
}

export interface WatchedCounts {
  readonly topics: number;
  readonly filters: number;
  readonly refusals: number;
}

export interface Watch {
  /** So far. */
  readonly seen: WatchedCounts;
  readonly done: Promise<EndedWatch>;
  /** Nothing happens if it has ended. */
  end(why: WatchEnd): void;
}

export const WATCH_LIMITS = {
  /** Identities at once. */
  watchesMax: 4,
  secondsMax: 7 * 86_400,
  /** Of one watch; what is beyond is counted. */
  topicsMax: 1_000,
  filtersMax: 200,
  refusalsMax: 200,
  /** A topic or filter that is longer is counted and not kept: no rule could hold it in readable form. */
  targetCharactersMax: 1_024,
  /** Of all topics together, and of all filters: a proposal stays a policy that can be read. */
  charactersMax: 64 * 1024,
} as const;
