// `limits`: every bound a peer can run into. Names, units and defaults are those of the broker's own table.

import { DEFAULT_LIMITS, type Limits } from '@motte/broker/ports/limits';
import Type, { type Static } from 'typebox';
import { integer, section } from '../setting.ts';

interface Row {
  readonly says: string;
  readonly breaks: string;
  readonly unit: string;
  readonly range: readonly [minimum: number, maximum: number];
  /** True where no value is looser than the default: 0 stands for none, or for what the machine has. */
  readonly zeroIsDefault?: true;
}

const GIB = 1024 ** 3;

const ROWS = {
  packetBytesMax: {
    says: 'Largest packet taken from a client, fixed header included.',
    breaks: 'Each connection may hold this much memory before anything is known of the packet.',
    unit: 'bytes',
    range: [128, 268_435_460],
  },
  connectBytesMax: {
    says: 'Largest CONNECT.',
    breaks: 'Peers that have proven nothing may hold this much memory each.',
    unit: 'bytes',
    range: [128, 1024 ** 2],
  },
  receiveMaximum: {
    says: 'QoS 1 and 2 messages a client may have unacknowledged; an MQTT 3 client beyond it is not read.',
    breaks: 'More state per client that the broker must keep.',
    unit: 'messages',
    range: [1, 65_535],
  },
  inFlightMax: {
    says: 'QoS 1 and 2 messages under way to one client at once.',
    breaks: 'Slow clients are sent more at once than they can take.',
    unit: 'messages',
    range: [1, 65_535],
  },
  topicLevelsMax: {
    says: 'Levels of a topic or filter.',
    breaks: 'Each level costs work in every match.',
    unit: 'levels',
    range: [1, 65_535],
  },
  topicAliasMax: {
    says: 'Topic aliases in each direction; 0 for none.',
    breaks: 'Memory per connection for each topic remembered.',
    unit: 'aliases',
    range: [0, 65_535],
  },
  queueMessagesMax: {
    says: 'Messages kept for a session that is away or slow; what comes after that is given up.',
    breaks: 'Sessions that never come back hold more of the disk.',
    unit: 'messages',
    range: [1, 10_000_000],
  },
  queueBytesMax: {
    says: 'Bytes kept for a session that is away or slow; what comes after that is given up.',
    breaks: 'Sessions that never come back hold more of the disk.',
    unit: 'bytes',
    range: [0, 16 * GIB],
  },
  queueAgeSecondsMax: {
    says: 'How long a message waits for a session before it is given up; 0 for as long as the session lives.',
    breaks: 'Messages wait for sessions that never come back.',
    unit: 's',
    range: [0, 4_294_967_295],
    zeroIsDefault: true,
  },
  queuedBytesPerIdentityMax: {
    says: 'Bytes kept for all sessions of one identity together; none for the anonymous.',
    breaks: 'One device with many sessions holds more of the disk.',
    unit: 'bytes',
    range: [0, 1024 * GIB],
  },
  queuedMessagesMax: {
    says: 'Messages kept for all sessions together.',
    breaks: 'Memory for each, and a longer start.',
    unit: 'messages',
    range: [1, 1_000_000_000],
  },
  queuedBytesMax: {
    says: 'Bytes kept for all sessions together.',
    breaks: 'This much of the disk (of memory with `store.kind: memory`) can be filled.',
    unit: 'bytes',
    range: [0, 16_384 * GIB],
  },
  stagedBytesMax: {
    says: 'Bytes that wait for the disk above which publishers are not read.',
    breaks: 'A slow disk holds more memory.',
    unit: 'bytes',
    range: [65_536, 16 * GIB],
  },
  unsentBytesMax: {
    says: 'Unsent bytes on a connection above which QoS 0 messages are dropped.',
    breaks: 'Every slow client holds this much memory.',
    unit: 'bytes',
    range: [1024, GIB],
  },
  subscriptionsPerSessionMax: {
    says: 'Subscriptions of one session.',
    breaks: 'One client can make every match slower.',
    unit: 'subscriptions',
    range: [1, 1_000_000],
  },
  subscriptionsMax: {
    says: 'Subscriptions of all sessions together.',
    breaks: 'Memory for each.',
    unit: 'subscriptions',
    range: [1, 100_000_000],
  },
  sessionsMax: {
    says: 'Sessions, connected and away.',
    breaks: 'Memory for each.',
    unit: 'sessions',
    range: [1, 10_000_000],
  },
  sessionsPerIdentityMax: {
    says: 'Sessions of one identity, connected and away; none for the anonymous.',
    breaks: 'One device can take every session there is.',
    unit: 'sessions',
    range: [1, 10_000_000],
  },
  memoryBytesMax: {
    says: 'Memory of the process, from whose upper fifth on newcomers are turned away; 0 for half of what the machine or its control group gives.',
    breaks: 'The kernel may end the process, and every connection with it.',
    unit: 'bytes',
    range: [0, 16_384 * GIB],
    zeroIsDefault: true,
  },
  retainedMessagesMax: {
    says: 'Retained messages.',
    breaks: 'Memory for each; a publisher that invents topics fills it.',
    unit: 'messages',
    range: [0, 100_000_000],
  },
  retainedBytesMax: {
    says: 'Bytes of all retained messages.',
    breaks: 'This much memory can be filled by publishers.',
    unit: 'bytes',
    range: [0, 1024 * GIB],
  },
  routesMax: {
    says: 'Topics whose subscribers are remembered.',
    breaks: 'Memory for each; a publisher that invents topics fills it.',
    unit: 'topics',
    range: [16, 10_000_000],
  },
  sessionExpirySecondsMax: {
    says: 'Longest time a session outlives its connection; 4294967295 for ever.',
    breaks: 'Sessions that never come back are kept longer.',
    unit: 's',
    range: [0, 4_294_967_295],
  },
  keepAliveSecondsMax: {
    says: 'Longest keep-alive granted; a client that asks for more or for none gets this.',
    breaks: 'Dead connections are noticed later.',
    unit: 's',
    range: [5, 65_535],
  },
  handshakeDeadlineMs: {
    says: 'Time for the TLS handshake.',
    breaks: 'Peers that never finish hold a place longer.',
    unit: 'ms',
    range: [100, 300_000],
  },
  connectDeadlineMs: {
    says: 'Time for CONNECT after the connection stands.',
    breaks: 'Peers that never speak hold a place longer.',
    unit: 'ms',
    range: [100, 300_000],
  },
  partialPacketDeadlineMs: {
    says: 'Time for the rest of a packet that has begun.',
    breaks: 'Peers that send byte by byte hold memory longer.',
    unit: 'ms',
    range: [100, 3_600_000],
  },
  authenticateDeadlineMs: {
    says: 'Time to prove an identity.',
    breaks: 'A stuck proof holds a place longer.',
    unit: 'ms',
    range: [100, 60_000],
  },
  authenticationsAtOnceMax: {
    says: 'Proofs of identity under way at once.',
    breaks: 'A storm of logins takes the processor from clients that are in.',
    unit: 'proofs',
    range: [1, 10_000],
  },
  loginsWaitingMax: {
    says: 'Logins by password that wait to be hashed, half of them from places where the user never logged in before.',
    breaks: 'Logins wait longer than the time that there is for them, and take places from other proofs.',
    unit: 'logins',
    range: [2, 10_000],
  },
  loginsWaitingPerSourceMax: {
    says: 'Logins from one address that wait to be hashed.',
    breaks: 'One source can take every place in the queue.',
    unit: 'logins',
    range: [1, 10_000],
  },
  closeDeadlineMs: {
    says: 'Time a connection that is being closed has to take what it was sent.',
    breaks: 'Peers that do not read hold memory longer.',
    unit: 'ms',
    range: [0, 60_000],
  },
  drainMs: {
    says: 'Time clients have to finish what is under way when the broker is asked to end.',
    breaks: 'A client that acknowledges nothing delays a restart by as much.',
    unit: 'ms',
    range: [0, 300_000],
  },
} as const satisfies { readonly [K in keyof Limits]: Row };

type LimitKey = keyof typeof ROWS;

const limit = (key: LimitKey) => {
  const { says, breaks, unit, range, zeroIsDefault }: Row = ROWS[key];
  const [minimum, maximum] = range;
  const row = { says, breaks, unit, minimum, maximum, default: DEFAULT_LIMITS[key], applies: 'restart' } as const;
  return Type.Optional(integer(zeroIsDefault === true ? row : { ...row, weaker: 'above' }));
};

type LimitSchema = ReturnType<typeof limit>;

export const LimitsSection = section(
  Object.fromEntries((Object.keys(ROWS) as LimitKey[]).map((key) => [key, limit(key)])) as Record<
    LimitKey,
    LimitSchema
  >,
  'Every bound a peer can run into. A higher one is looser; none needs a waiver.',
);
export type LimitsSection = Static<typeof LimitsSection>;
