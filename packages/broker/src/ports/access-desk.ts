// Questions about rights, asked by administrators: of somebody who may not even be connected. Nothing is changed by them.

export interface AccessQuestion {
  /** A client identifier or an identity: NAME, NAME/anything, NAME@REALM. */
  readonly client: string;
  readonly action: 'publish' | 'subscribe' | 'receive';
  /** A topic name; of `subscribe` a filter. */
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Address it comes from; empty = unknown, and in no network. */
  readonly from: string;
  /** Name of a listener; empty = the first one that takes such an identity. */
  readonly via: string;
}

/** A rule that speaks of the action and the topic. */
export interface ConsideredRule {
  /** Such as `role operator, policy.yaml:7:7`. */
  readonly rule: string;
  /** As it was written. */
  readonly text: string;
  /** Why it plays no part; empty = it does. */
  readonly because: string;
}

export interface AccessAnswer {
  readonly allow: boolean;
  /** As `motte who` shows it. */
  readonly identity: string;
  readonly registered: boolean;
  /** Of the registry, of groups, of the listener. */
  readonly roles: readonly string[];
  /** Name of the listener; empty = none. */
  readonly listener: string;
  readonly because: string;
  readonly rule: string;
  /** The first hundred. */
  readonly considered: readonly ConsideredRule[];
}

/** `some` = it depends on the message, the listener or the address. */
export type HeldRight = 'yes' | 'some' | 'no';

export interface RightHolder {
  readonly identity: string;
  readonly publish: HeldRight;
  readonly receive: HeldRight;
}

/** Each throws a MotteError. */
export interface AccessDesk {
  check(question: AccessQuestion): AccessAnswer;
  /** Everybody in registry or groups who may do either. */
  who(topic: string): readonly RightHolder[];
}
