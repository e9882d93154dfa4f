// $SYS topics: the broker's own numbers as messages, one list of topic and source. Core publishes them by the clock;
// only roles that name $SYS may read them.

import type { Counters } from '../ports/counters.ts';
import { VERSION } from '../ports/version.ts';

export interface SysFacts {
  /** Wall-clock times in ms. */
  readonly startedAtMs: number;
  readonly nowMs: number;
}

export interface SysMessage {
  readonly topic: string;
  readonly payload: string;
}

/** Every $SYS topic with its value of now, as text. */
export function sysMessages(counters: Counters, facts: SysFacts): SysMessage[] {
  const uptimeSeconds = Math.max(0, Math.floor((facts.nowMs - facts.startedAtMs) / 1000));
  return [
    { topic: '$SYS/broker/version', payload: `motte ${VERSION}` },
    { topic: '$SYS/broker/uptime', payload: String(uptimeSeconds) },
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
  ['subscriptions', 'subscriptions'],
  ['sessions', 'sessions'],
];
