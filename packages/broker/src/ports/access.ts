// What an identity may do. The policy is compiled; its generation number marks every cached verdict.

import type { QoS, TopicFilter, TopicName } from '@motte/wire';
import type { ConnectionFacts } from './connection-facts.ts';
import type { Identity } from './identity.ts';
import type { Quotas } from './quotas.ts';
import type { Verdict } from './verdict.ts';

/** An identity's compiled rights, made at CONNECT and again on resume; opaque to everyone but access. */
export interface Rights {
  readonly generation: number;
  readonly identity: Identity;
  readonly quotas: Quotas;
}

export interface Subject {
  readonly identity: Identity;
  readonly clientId: string;
  readonly facts: Pick<ConnectionFacts, 'listener' | 'address'>;
}

/** What carries a payload: verdicts that hang on it look at it, all others leave it alone. */
export interface PayloadCarrier {
  readonly payload: Uint8Array;
}

/** `ask` = the message itself decides (its QoS, whether it is sealed): call `receiveMessage`. */
export type ReceiveVerdict = 'always' | 'never' | 'ask';

export interface Access {
  /** Raised whenever any answer may have changed. */
  readonly generation: number;
  rightsOf(subject: Subject): Rights;
  /** Cheap when asked again for the same topic: a bounded map in the rights remembers. */
  publish(rights: Rights, topic: TopicName, qos: QoS, retain: boolean, carrier: PayloadCarrier): Verdict;
  subscribe(rights: Rights, filter: TopicFilter): Verdict;
  receive(rights: Rights, topic: TopicName): ReceiveVerdict;
  receiveMessage(rights: Rights, topic: TopicName, qos: QoS, retain: boolean, carrier: PayloadCarrier): boolean;
}
