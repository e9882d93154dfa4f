// One session as the memory store keeps it, and what each record that names a session does to it.

import type { TopicFilter } from '@motte/wire';
import type { Message } from '../../ports/message.ts';
import type { OpenedSession, StoredSession, StoredSubscription, StoredWill, StoreRecord } from '../../ports/store.ts';
import { SessionQueue } from './session-queue.ts';

/** The records that change an existing session. */
export type SessionRecord = Exclude<StoreRecord, { kind: 'session' | 'session-end' | 'retain' | 'unretain' }>;

export class SessionState {
  session: StoredSession;
  readonly subscriptions = new Map<TopicFilter, StoredSubscription>();
  readonly received = new Map<number, Message | undefined>();
  readonly queue = new SessionQueue();
  will: StoredWill | undefined = undefined;

  constructor(session: StoredSession) {
    this.session = session;
  }

  apply(record: SessionRecord): void {
    switch (record.kind) {
      case 'subscribe':
        this.subscriptions.set(record.subscription.filter, record.subscription);
        break;
      case 'unsubscribe':
        this.subscriptions.delete(record.filter);
        break;
      case 'queue':
        this.queue.put(record.entry);
        break;
      case 'released':
        this.#release(record.seq);
        break;
      case 'dequeue':
        this.queue.remove(record.seq);
        break;
      case 'receive':
        this.received.set(record.packetId, record.message);
        break;
      case 'received-end':
        this.received.delete(record.packetId);
        break;
      case 'will':
        this.will = record.will;
        break;
      case 'unwill':
        this.will = undefined;
        break;
      default:
        record satisfies never;
    }
  }

  #release(seq: number): void {
    const entry = this.queue.find(seq);
    if (entry !== undefined) this.queue.put({ ...entry, message: undefined });
  }

  /** A copy that later records do not change. */
  open(): OpenedSession {
    return {
      session: this.session,
      subscriptions: [...this.subscriptions.values()],
      received: new Map(this.received),
      queuedMessages: this.queue.size,
      queuedBytes: this.queue.bytes,
      lastSeq: this.queue.lastSeq,
      will: this.will,
    };
  }
}
