// The one table of reasons: MQTT 5.0 reason codes (2.4), the CONNACK return codes of MQTT 3.1/3.1.1 (3.2.2.3) that
// stand for them there, and which packets may carry each. Nothing else in Motte lists a code.

/** Packets that carry a reason code. */
export type ReasonCarrier =
  | 'connack'
  | 'puback'
  | 'pubrec'
  | 'pubrel'
  | 'pubcomp'
  | 'suback'
  | 'unsuback'
  | 'disconnect'
  | 'auth';

interface ReasonRow {
  /** MQTT 5.0 reason code, one byte. */
  readonly code: number;
  /** MQTT 3.1/3.1.1 CONNACK return code; absent where those versions have none and the connection just closes. */
  readonly connack3?: number;
  readonly packets: readonly ReasonCarrier[];
}

const ack: readonly ReasonCarrier[] = ['puback', 'pubrec'];

export const REASONS = {
  success: {
    code: 0x00,
    connack3: 0,
    packets: ['connack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'unsuback', 'auth'],
  },
  'normal-disconnection': { code: 0x00, packets: ['disconnect'] },
  'granted-qos-0': { code: 0x00, packets: ['suback'] },
  'granted-qos-1': { code: 0x01, packets: ['suback'] },
  'granted-qos-2': { code: 0x02, packets: ['suback'] },
  'disconnect-with-will': { code: 0x04, packets: ['disconnect'] },
  'no-matching-subscribers': { code: 0x10, packets: ack },
  'no-subscription-existed': { code: 0x11, packets: ['unsuback'] },
  'continue-authentication': { code: 0x18, packets: ['auth'] },
  're-authenticate': { code: 0x19, packets: ['auth'] },
  'unspecified-error': { code: 0x80, connack3: 3, packets: ['connack', ...ack, 'suback', 'unsuback', 'disconnect'] },
  'malformed-packet': { code: 0x81, packets: ['connack', 'disconnect'] },
  'protocol-error': { code: 0x82, packets: ['connack', 'disconnect'] },
  'implementation-specific-error': {
    code: 0x83,
    packets: ['connack', ...ack, 'suback', 'unsuback', 'disconnect'],
  },
  'unsupported-protocol-version': { code: 0x84, connack3: 1, packets: ['connack'] },
  'client-identifier-not-valid': { code: 0x85, connack3: 2, packets: ['connack'] },
  'bad-user-name-or-password': { code: 0x86, connack3: 4, packets: ['connack'] },
  'not-authorized': {
    code: 0x87,
    connack3: 5,
    packets: ['connack', ...ack, 'suback', 'unsuback', 'disconnect'],
  },
  'server-unavailable': { code: 0x88, connack3: 3, packets: ['connack'] },
  'server-busy': { code: 0x89, connack3: 3, packets: ['connack', 'disconnect'] },
  banned: { code: 0x8a, connack3: 5, packets: ['connack'] },
  'server-shutting-down': { code: 0x8b, packets: ['disconnect'] },
  'bad-authentication-method': { code: 0x8c, connack3: 5, packets: ['connack', 'disconnect'] },
  'keep-alive-timeout': { code: 0x8d, packets: ['disconnect'] },
  'session-taken-over': { code: 0x8e, packets: ['disconnect'] },
  'topic-filter-invalid': { code: 0x8f, packets: ['suback', 'unsuback', 'disconnect'] },
  'topic-name-invalid': { code: 0x90, packets: ['connack', ...ack, 'disconnect'] },
  'packet-identifier-in-use': { code: 0x91, packets: [...ack, 'suback', 'unsuback'] },
  'packet-identifier-not-found': { code: 0x92, packets: ['pubrel', 'pubcomp'] },
  'receive-maximum-exceeded': { code: 0x93, packets: ['disconnect'] },
  'topic-alias-invalid': { code: 0x94, packets: ['disconnect'] },
  'packet-too-large': { code: 0x95, packets: ['connack', 'disconnect'] },
  'message-rate-too-high': { code: 0x96, packets: ['disconnect'] },
  'quota-exceeded': { code: 0x97, connack3: 3, packets: ['connack', ...ack, 'suback', 'disconnect'] },
  'administrative-action': { code: 0x98, packets: ['disconnect'] },
  'payload-format-invalid': { code: 0x99, packets: ['connack', ...ack, 'disconnect'] },
  'retain-not-supported': { code: 0x9a, packets: ['connack', 'disconnect'] },
  'qos-not-supported': { code: 0x9b, packets: ['connack', 'disconnect'] },
  'use-another-server': { code: 0x9c, connack3: 3, packets: ['connack', 'disconnect'] },
  'server-moved': { code: 0x9d, connack3: 3, packets: ['connack', 'disconnect'] },
  'shared-subscriptions-not-supported': { code: 0x9e, packets: ['suback', 'disconnect'] },
  'connection-rate-exceeded': { code: 0x9f, connack3: 3, packets: ['connack', 'disconnect'] },
  'maximum-connect-time': { code: 0xa0, packets: ['disconnect'] },
  'subscription-identifiers-not-supported': { code: 0xa1, packets: ['suback', 'disconnect'] },
  'wildcard-subscriptions-not-supported': { code: 0xa2, packets: ['suback', 'disconnect'] },
} as const satisfies Record<string, ReasonRow>;

/** The name by which Motte's code, events and documents speak of a reason. */
export type Reason = keyof typeof REASONS;

const rows: ReadonlyMap<Reason, ReasonRow> = new Map(Object.entries(REASONS) as [Reason, ReasonRow][]);

/** True if a packet of this type may carry the reason in MQTT 5.0. */
export function mayCarry(packet: ReasonCarrier, reason: Reason): boolean {
  return rows.get(reason)?.packets.includes(packet) ?? false;
}

/** The reason's MQTT 5.0 code. */
export function reasonCode(reason: Reason): number {
  return REASONS[reason].code;
}

/** The CONNACK return code for MQTT 3.1/3.1.1, or undefined where the connection just closes. */
export function connackReturnCode(reason: Reason): number | undefined {
  return rows.get(reason)?.connack3;
}

const byCarrier: ReadonlyMap<string, Reason> = new Map(
  [...rows].flatMap(([name, row]) => row.packets.map((packet) => [`${packet} ${row.code}`, name] as const)),
);

/** The reason that `code` stands for in a packet of this type, or undefined if that packet cannot carry it. */
export function reasonOf(packet: ReasonCarrier, code: number): Reason | undefined {
  return byCarrier.get(`${packet} ${code}`);
}
