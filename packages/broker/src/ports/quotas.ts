// What a role lets one identity use of the broker. The table is the one place that knows their names; the policy file, the core and
// the reference go by it. Limits hold for everybody as well: the smaller of the two counts.

export interface QuotaFacts {
  /** What it counts, for people, behind the number. */
  readonly unit: string;
  readonly says: string;
}

export const QUOTAS = {
  connections: { unit: 'connections', says: 'Connections of one identity at once.' },
  messagesPerSecond: {
    unit: 'messages a second',
    says: 'Messages that one identity publishes, over all its connections.',
  },
  bytesPerSecond: { unit: 'bytes of payload a second', says: 'Their payloads.' },
  payloadBytes: { unit: 'bytes of payload', says: 'The payload of one message, of a will too.' },
  topicLevels: { unit: 'levels', says: 'Levels of a topic that is published to, or of a filter.' },
  subscriptions: { unit: 'subscriptions', says: 'Subscriptions of one session.' },
  queueMessages: { unit: 'messages', says: 'Messages that one session may be owed.' },
  queueBytes: { unit: 'bytes', says: 'What they carry.' },
  retainedMessages: { unit: 'retained messages', says: 'Messages of one identity that are retained.' },
  retainedBytes: { unit: 'bytes of retained messages', says: 'What they carry.' },
} as const satisfies Record<string, QuotaFacts>;

export type QuotaName = keyof typeof QUOTAS;

export const QUOTA_NAMES = Object.keys(QUOTAS) as readonly QuotaName[];

/** Beyond a rate a publisher is not read for a while, or its messages are refused. */
export const BEYOND_RATE = ['slow', 'refuse'] as const;
export type BeyondRate = (typeof BEYOND_RATE)[number];

/** What holds for one identity; Infinity = there is none. Every object has the same shape. */
export interface Quotas extends Readonly<Record<QuotaName, number>> {
  readonly beyondRate: BeyondRate;
  /** Which role each number is from. */
  readonly roles: Readonly<Partial<Record<QuotaName, string>>>;
}

const NONE = Number.POSITIVE_INFINITY;

/** No role says anything; compared by identity where it matters. */
export const NO_QUOTAS: Quotas = Object.freeze({
  connections: NONE,
  messagesPerSecond: NONE,
  bytesPerSecond: NONE,
  payloadBytes: NONE,
  topicLevels: NONE,
  subscriptions: NONE,
  queueMessages: NONE,
  queueBytes: NONE,
  retainedMessages: NONE,
  retainedBytes: NONE,
  beyondRate: 'slow',
  roles: Object.freeze({}),
});
