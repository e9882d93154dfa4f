// What the client rejects with: always a name a program can branch on, the server's own where it sent one.

import { type Reason, type ReasonCarrier, reasonOf } from '@motte/wire';

/** Why something failed without a reason code of the server. */
export type LocalReason =
  | 'connection-lost'
  | 'connect-timeout'
  | 'connection-refused'
  | 'client-closed'
  | 'queue-full'
  | 'packet-identifiers-exhausted'
  | 'unknown-reason-code';

/** An MQTT operation failed. `code` is the byte the server sent, or undefined if the failure is local. */
export class MqttError extends Error {
  readonly reason: Reason | LocalReason;
  readonly code: number | undefined;
  /** One code per topic filter, where a SUBACK or UNSUBACK refused at least one. */
  readonly codes: readonly number[];

  constructor(reason: Reason | LocalReason, message: string, code?: number, codes: readonly number[] = []) {
    super(message);
    this.name = 'MqttError';
    this.reason = reason;
    this.code = code;
    this.codes = codes;
  }
}

/** The name of a code in an MQTT 5.0 packet; 'unknown-reason-code' if that packet cannot carry it. */
export function reasonName(packet: ReasonCarrier, code: number): Reason | 'unknown-reason-code' {
  return reasonOf(packet, code) ?? 'unknown-reason-code';
}

const RETURN_CODES: readonly Reason[] = [
  'success',
  'unsupported-protocol-version',
  'client-identifier-not-valid',
  'server-unavailable',
  'bad-user-name-or-password',
  'not-authorized',
];

/** The name of a CONNACK return code of MQTT 3.1 and 3.1.1 (3.2.2.3). */
export function returnCodeName(code: number): Reason | 'unknown-reason-code' {
  return RETURN_CODES[code] ?? 'unknown-reason-code';
}
