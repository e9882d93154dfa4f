// Store = all that survives: sessions, queues, in-flight state, retained messages, wills. Writing is staged and
// committed in groups; reading is asynchronous from the first day, also in memory. No promise per message.

import type { QoS, TopicFilter, TopicName } from '@motte/wire';
import type { Message } from './message.ts';

/** Grows with every staged record; a commit answers for all tickets up to one. */
export type Ticket = number;

export interface StoredSubscription {
  readonly filter: TopicFilter;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  /** 0 = none. */
  readonly subscriptionIdentifier: number;
}

export interface StoredWill {
  readonly message: Message;
  /** Wall-clock time in ms at which it is due once the connection is gone. */
  readonly delayMs: number;
}

export interface StoredSession {
  readonly key: string;
  readonly realm: string;
  readonly name: string;
  readonly clientId: string;
  /** Raised at every CONNECT that takes the session. */
  readonly generation: number;
  /** Seconds the session outlives its connection; 0xFFFFFFFF = never expires. */
  readonly expirySeconds: number;
  /** Wall-clock time in ms when the last connection ended; 0 while connected. */
  readonly endedAtMs: number;
}

/** A copy of a message owed to a session. */
export interface QueuedMessage {
  /** Monotone per session; the packet identifier derives from it. */
  readonly seq: number;
  readonly message: Message;
  /** The QoS of delivery: the lower of publication and subscription. */
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[];
  /** True once PUBREC was seen: only PUBREL is owed. */
  readonly released: boolean;
}

export type StoreRecord =
  | { readonly kind: 'session'; readonly session: StoredSession }
  | { readonly kind: 'session-end'; readonly key: string }
  | { readonly kind: 'subscribe'; readonly key: string; readonly subscription: StoredSubscription }
  | { readonly kind: 'unsubscribe'; readonly key: string; readonly filter: TopicFilter }
  | { readonly kind: 'queue'; readonly key: string; readonly entry: QueuedMessage }
  | { readonly kind: 'released' | 'dequeue'; readonly key: string; readonly seq: number }
  | { readonly kind: 'receive'; readonly key: string; readonly packetId: number; readonly message: Message | undefined }
  | { readonly kind: 'received-end'; readonly key: string; readonly packetId: number }
  | { readonly kind: 'retain'; readonly message: Message }
  /** With `expiredAtMs` only if what is retained by then expires no later: a newer message stays. */
  | { readonly kind: 'unretain'; readonly topic: TopicName; readonly expiredAtMs?: number }
  | { readonly kind: 'will'; readonly key: string; readonly will: StoredWill }
  | { readonly kind: 'unwill'; readonly key: string };

export interface OpenedSession {
  readonly session: StoredSession;
  readonly subscriptions: readonly StoredSubscription[];
  /** QoS 2 packet identifiers received and not yet released, with the message that PUBREL will route (method A). */
  readonly received: ReadonlyMap<number, Message | undefined>;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** The highest `seq` ever queued; 0 if none. */
  readonly lastSeq: number;
  readonly will: StoredWill | undefined;
}

/** Where a scan of retained messages goes on; undefined = from the start, or done. */
export type Cursor = string | number | undefined;

export interface Store {
  /** Puts a record into the next commit. Patient records may wait `lingerMs`; urgent ones may not. */
  stage(record: StoreRecord, urgent: boolean): Ticket;
  /**
   * Takes back a record whose ticket is not committed yet; if its commit is under way, its removal is written after it.
   * A committed ticket is left alone: stage the removal.
   */
  strike(ticket: Ticket): void;
  /** Called after every commit with the ticket up to which all are committed or struck (or failed, with the fault). */
  onCommitted(listener: (upTo: Ticket, fault?: Error) => void): void;
  /** True if no ticket up to this one waits for a commit. */
  isCommitted(ticket: Ticket): boolean;
  /** True if there is a session of this key, as of the last commit. */
  hasSession(key: string): boolean;
  openSession(key: string, callback: (session: OpenedSession | undefined, fault?: Error) => void): void;
  /** Up to `max` committed messages with seq > afterSeq, in order; what is staged only comes after its commit. */
  readQueue(
    key: string,
    afterSeq: number,
    max: number,
    callback: (entries: readonly QueuedMessage[], fault?: Error) => void,
  ): void;
  /**
   * Retained messages whose topic matches the filter, in pages of at most `max`; `next` undefined = no more. A page may
   * be empty and yet not be the last: each looks at a bounded number of topics.
   */
  matchRetained(
    filter: TopicFilter,
    cursor: Cursor,
    max: number,
    callback: (messages: readonly Message[], next: Cursor, fault?: Error) => void,
  ): void;
  /** Bytes of the topic's retained message, as of the last commit; undefined = it has none. */
  retainedBytesOf(topic: TopicName): number | undefined;
  /** Plain numbers for status and $SYS. */
  readonly retainedCount: number;
  readonly retainedBytes: number;
  /** Everything known of all stored sessions, for start-up. */
  listSessions(callback: (sessions: readonly OpenedSession[], fault?: Error) => void): void;
  close(): Promise<void>;
}
