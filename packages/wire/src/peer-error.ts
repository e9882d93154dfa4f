// What wire throws and the only thing it throws: the peer broke the protocol.

import type { Reason } from './reasons.ts';

/** The peer broke the protocol. `rule` is the standard's id, such as "MQTT-2.1.4-1", or the section where it has none. */
export class PeerError extends Error {
  readonly reason: Reason;
  readonly rule: string;

  constructor(reason: Reason, rule: string, message: string) {
    super(message);
    this.name = 'PeerError';
    this.reason = reason;
    this.rule = rule;
  }
}
