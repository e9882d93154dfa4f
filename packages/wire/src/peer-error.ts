// What wire throws and the only thing it throws: the peer broke the protocol.

import type { Reason } from './reasons.ts';

/** The peer broke the protocol. `rule` is the standard's id, such as "MQTT-2.1.3-1", or the section where it has none. */
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

/** The bytes cannot be read as the standard lays them out (1.2, Malformed Packet; reason code 0x81). */
export function malformed(rule: string, message: string): PeerError {
  return new PeerError('malformed-packet', rule, message);
}

/** The bytes can be read, and say what the protocol does not allow (1.2, Protocol Error; reason code 0x82). */
export function protocolError(rule: string, message: string): PeerError {
  return new PeerError('protocol-error', rule, message);
}
