// How a client comes: what of it is weaker than the policy wants, although it proved who it is.

import type { ProtocolVersion } from '@motte/wire';
import type { ConnectionFacts } from './connection-facts.ts';

/** `identity.posture` of the configuration; what is absent is not looked at. */
export interface PosturePolicy {
  readonly minTls?: '1.2' | '1.3';
  /** Bits of an RSA key; elliptic keys count as much as the RSA key that is as hard to break. */
  readonly minKeyBits?: number;
  readonly minMqtt?: '3.1' | '3.1.1' | '5.0';
  /** `flag` lets the client in and says so. */
  readonly action: 'refuse' | 'flag';
}

export interface Weakness {
  readonly action: PosturePolicy['action'];
  /** One sentence for the operator. */
  readonly because: string;
  /** The key of the configuration that it falls short of. */
  readonly rule: string;
}

/** Looks at a client that was proven; undefined = nothing is wrong with how it comes. */
export type Assess = (facts: ConnectionFacts, version: ProtocolVersion) => Weakness | undefined;
