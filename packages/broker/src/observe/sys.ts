// $SYS topics: the broker's own numbers as messages, one list of topic and source. Core publishes them by the clock;
// only roles that name $SYS may read them.

import type { Counters } from '../ports/counters.ts';

export interface SysFacts {
  readonly version: string;
  readonly uptimeSeconds: number;
}

export interface SysMessage {
  readonly topic: string;
  readonly payload: string;
}

/** Every $SYS topic with its value of now, as text. */
export function sysMessages(counters: Counters, facts: SysFacts): SysMessage[] {
  return [
    { topic: '$SYS/broker/version', payload: `motte ${facts.version}` },
    { topic: '$SYS/broker/uptime', payload: String(facts.uptimeSeconds) },
    ...SYS_COUNTERS.map(([topic, counter]) => ({ topic: `$SYS/broker/${topic}`, payload: String(counters[counter]) })),
  ];
}

/** How often they are published. */
export const SYS_INTERVAL_MS = 10_000;

/** Topic below $SYS/broker and the counter it shows. */
export const SYS_COUNTERS: readonly (readonly [string, keyof Counters])[] = [
  ['clients/connected', 'clientsConnected'],
  ['connections/opened', 'connectionsOpened'],
  ['connections/closed', 'connectionsClosed'],
  ['refusals', 'refusals'],
  ['packets/received', 'packetsReceived'],
  ['bytes/received', 'bytesReceived'],
  ['bytes/sent', 'bytesSent'],
  ['messages/received', 'messagesReceived'],
  ['messages/sent', 'messagesDelivered'],
  ['messages/dropped', 'messagesDropped'],
  ['messages/expired', 'messagesExpired'],
  ['messages/retained', 'retained'],
  ['messages/queued', 'queuedMessages'],
  ['bytes/queued', 'queuedBytes'],
  ['memory/bytes', 'memoryBytes'],
  ['load/event-loop-lag-ms', 'eventLoopLagMs'],
  ['subscriptions', 'subscriptions'],
  ['sessions', 'sessions'],
];
