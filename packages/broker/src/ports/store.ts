// Store = all that survives: sessions, queues, in-flight state, retained messages, wills. Writing is staged and
// committed in groups; reading is asynchronous from the first day, also in memory. No promise per message.

import type { QoS, TopicFilter, TopicName } from '@motte/wire';
import type { IdentityKind } from './identity.ts';
import type { Message } from './message.ts';
import type { CertificateId } from './trust.ts';

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

/** A will while its client is connected or its delay runs: due that long after the session's connection ended. */
export interface StoredWill {
  /** Without expiry: its interval runs from when it is published. */
  readonly message: Message;
  readonly delaySeconds: number;
  /** Message Expiry Interval; -1 = none. */
  readonly expirySeconds: number;
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
  /** The highest position of its queue that was ever sent, as of when the record was written: exact while it is away. */
  readonly sentSeq: number;
  /** Above that and up to this position nobody knows: the broker went down while it was connected. */
  readonly unsureSeq: number;
  /** Name of the listener and address by which it last came: rules may depend on them. */
  readonly listener: string;
  readonly address: string;
  /** Roles and kind of an identity that no registry has, as its latest proof gave them; both or neither. */
  readonly roles?: readonly string[];
  readonly kind?: IdentityKind;
  /** What proved it when it last came, if a certificate did: that may be taken back while it is away. */
  readonly certificate?: CertificateId;
}

export interface RetainedFacts {
  readonly bytes: number;
  /** Key of the identity that published it. */
  readonly owner: string;
  /** Wall-clock time in ms; 0 = never. */
  readonly expiresAtMs: number;
}

/** How many messages are retained and what they carry. */
export interface RetainedTotals {
  readonly messages: number;
  readonly bytes: number;
}

/** A copy of a message owed to a session. */
export interface QueuedMessage {
  /** Monotone per session; the packet identifier derives from it. */
  readonly seq: number;
  /** Undefined once released: nothing but PUBREL is owed then. */
  readonly message: Message | undefined;
  /** The QoS of delivery: the lower of publication and subscription. */
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[];
  /** The shared subscription that it is owed by, `$share/NAME/FILTER`; empty = by one of its own. */
  readonly share: string;
  /** Wall-clock time in ms when it was queued for this session. */
  readonly queuedAtMs: number;
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
  /** The highest `seq` in the queue, or one above it that is known; 0 if none is. */
  readonly lastSeq: number;
  readonly will: StoredWill | undefined;
}

/** What an operator has to know: nothing new is taken, all is taken again, or something that was written is damaged. */
export type StoreTrouble =
  | { readonly kind: 'recovered' }
  | { readonly kind: 'failing'; readonly why: string }
  | { readonly kind: 'damaged'; readonly why: string };

/** A record as it lies in the store, for copies of all of it: what it means is the store's own business. */
export type RawRecord = readonly [key: Uint8Array, value: Uint8Array];

/** All that was committed at one moment, while commits go on. */
export interface StoreSnapshot {
  /** The next records in the order of keys, none = that was all. Rejects if they cannot be read, or the store was closed. */
  next(): Promise<readonly RawRecord[]>;
  close(): Promise<void>;
}

/** Where a scan of retained messages goes on; undefined = from the start, or done. */
export type Cursor = string | number | undefined;

export interface Store {
  /** Puts a record into the next commit. One that is not urgent starts none by itself, and may linger if it is `queue`. */
  stage(record: StoreRecord, urgent: boolean): Ticket;
  /** What is staged meanwhile is committed whole or not at all, and none of it lingers. */
  atomically<T>(work: () => T): T;
  /** Takes a record back before it is written; false = it is, or is being, written: stage its removal. */
  strike(ticket: Ticket): boolean;
  /**
   * Called in a later turn with the ticket up to which all are committed or struck. With a fault: they are not written and
   * nobody shall wait for them now; the store goes on trying, and calls again once it could.
   */
  onCommitted(listener: (upTo: Ticket, fault?: Error) => void): void;
  /** The one listener is told of trouble in a later turn, of what was met before it listened too. */
  onTrouble(listener: (trouble: StoreTrouble) => void): void;
  /** True if no ticket up to this one waits for a commit. */
  isCommitted(ticket: Ticket): boolean;
  /** The highest ticket given so far. */
  readonly lastTicket: Ticket;
  /** Why nothing new can be made durable now; undefined = it can. What was staged is kept and written once it can again. */
  readonly failing: string | undefined;
  /** Bytes that wait for a commit. */
  readonly stagedBytes: number;
  /** True if there is a session of this key, committed or staged. */
  hasSession(key: string): boolean;
  openSession(key: string, callback: (session: OpenedSession | undefined, fault?: Error) => void): void;
  /** Of the session that has the key when it is asked: up to `max` committed messages with seq > afterSeq, in order; what is staged only comes after its commit. */
  readQueue(
    key: string,
    afterSeq: number,
    max: number,
    callback: (entries: readonly QueuedMessage[], fault?: Error) => void,
  ): void;
  /**
   * Every message that the queue of a session owes at the moment it is asked, in order, whether committed or staged; without those
   * that were released or settled, be that staged or committed. Also if the session ends right afterwards.
   */
  readOwed(key: string, callback: (entries: readonly QueuedMessage[], fault?: Error) => void): void;
  /**
   * Retained messages whose topic matches the filter, in pages of at most `max`; `next` undefined = no more. A page may
   * be empty and yet not be the last: each looks at a bounded number of topics. What was staged before it is asked for is
   * in it, whether the disk takes it or not.
   */
  matchRetained(
    filter: TopicFilter,
    cursor: Cursor,
    max: number,
    callback: (messages: readonly Message[], next: Cursor, fault?: Error) => void,
  ): void;
  /** Where a scan goes on behind a topic, whether or not anything is retained there. */
  retainedBehind(topic: TopicName): Cursor;
  /** The topic's retained message once all is written that was staged; undefined = it has none, or none that can be read now. */
  retainedAt(topic: TopicName): RetainedFacts | undefined;
  /** What is retained of one identity, by its key, once all is written that was staged. */
  retainedOf(owner: string): RetainedTotals;
  /** Plain numbers for limits, status and $SYS: of all that was staged. */
  readonly retainedCount: number;
  readonly retainedBytes: number;
  /** Everything known of all stored sessions, for start-up. */
  listSessions(callback: (sessions: readonly OpenedSession[], fault?: Error) => void): void;
  /** What is committed now, for a copy of it; undefined = nothing of it outlives the process. The caller closes it. */
  snapshot(): StoreSnapshot | undefined;
  close(): Promise<void>;
}
