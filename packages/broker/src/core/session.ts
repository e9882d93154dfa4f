// The state of one client that outlives its connection (4.1): what it is owed, what it sent and did not finish; its subscriptions
// stand in the router. Holds state only; `delivery` sends, `handle/` answers, `sessions` begins and ends them.

import type { Rights, Subject } from '../ports/access.ts';
import { type Identity, TOKEN_REALM } from '../ports/identity.ts';
import type { StoredSession, StoredWill, Ticket } from '../ports/store.ts';
import type { CertificateId } from '../ports/trust.ts';
import type { Client } from './client.ts';
import { InFlight } from './in-flight.ts';
import { MemoryQueue } from './memory-queue.ts';
import type { Account } from './owed.ts';
import type { Passage } from './passage.ts';
import type { RetainedHandover } from './retained-handover.ts';

/** Session Expiry Interval that means "never" (3.1.2.11.2). */
export const NEVER_EXPIRES = 0xffff_ffff;

const NOTHING: ReadonlyMap<number, Passage | undefined> = new Map();

export interface SessionStart {
  readonly key: string;
  readonly identity: Identity;
  readonly clientId: string;
  readonly subject: Subject;
  readonly rights: Rights;
  readonly expirySeconds: number;
  readonly generation: number;
  readonly stored: boolean;
}

export class Session {
  readonly key: string;
  /** Key of its identity. */
  readonly owner: string;
  readonly clientId: string;
  /** True if the store holds it; a session that ends with its connection is never written. */
  readonly stored: boolean;
  /** Who asks for what, and by which way: settled at CONNECT and again on resume. */
  subject: Subject;
  /** Compiled from the subject; read through `core.rightsOf`, which compiles anew when the policy has changed. */
  rights: Rights;
  /** What proved it when it last came, if a certificate did. */
  certificate: CertificateId | undefined = undefined;
  /** The connection that has it now. */
  client: Client | undefined = undefined;
  expirySeconds: number;
  /** Raised by every CONNECT that takes the session. */
  generation: number;
  /** Wall-clock time in ms when the last connection ended; 0 while connected. */
  endedAtMs = 0;
  /** QoS 2 packet identifiers received and not yet released, with what PUBREL will route; undefined = refused. */
  received: ReadonlyMap<number, Passage | undefined> = NOTHING;
  /** Bytes of those messages. */
  receivedBytes = 0;
  readonly sent = new InFlight();
  /** What waits in memory; only for a session that is not stored. */
  readonly queue = new MemoryQueue();
  /** The last position given out in the queue of this session. */
  seq = 0;
  /** The highest position that was ever sent: up to it, a resend carries DUP [MQTT-3.3.1-1]. */
  sentSeq = 0;
  /** Above that and up to this position nobody knows what was sent: the broker went down while the client was connected. */
  unsureSeq = 0;
  /** True while the store holds messages that were not sent on this connection: all new ones go behind them. */
  behind = false;
  /** Where reading the stored queue goes on. */
  readSeq = 0;
  reading = false;
  /** Ticket of the last record staged for this session's queue. */
  lastTicket: Ticket = 0;
  /** Its stored queue is not read before this is written: what was settled before it would be met there, and settled again. */
  readableTicket: Ticket = 0;
  /** What all sessions of its identity come to. */
  readonly account: Account;
  /** Messages and bytes owed, changed by `Owed` alone: of a stored session whether sent or waiting, else what waits. */
  owedMessages = 0;
  owedBytes = 0;
  /** True once it has ended: a route may remember it for a while. */
  isOver = false;
  /** Wall-clock ms at which the queue is looked at for expired messages; 0 = it is not, -1 = it is being looked at. */
  sweepAtMs = 0;
  /** Retained messages still to be handed over after a SUBSCRIBE; undefined = none. */
  handover: RetainedHandover | undefined = undefined;
  /** The will of a connection that is gone, while its delay runs. */
  will: StoredWill | undefined = undefined;
  /** True if the store has a will of it, also if nothing else of it is stored. */
  willKept = false;

  constructor(start: SessionStart, account: Account) {
    this.account = account;
    this.key = start.key;
    this.owner = account.owner;
    this.clientId = start.clientId;
    this.subject = start.subject;
    this.rights = start.rights;
    this.expirySeconds = start.expirySeconds;
    this.generation = start.generation;
    this.stored = start.stored;
  }

  /** Whose it is, with the roles of its latest proof. */
  get identity(): Identity {
    return this.subject.identity;
  }

  /** Name of the deadline of its delayed will. */
  get willDeadline(): string {
    return `will ${this.key}`;
  }

  /** Name of the deadline of what expires in its queue. */
  get queueDeadline(): string {
    return `queue ${this.key}`;
  }

  /** Keeps what PUBREL will route. Most sessions at a time have none of it, and no map for it. */
  receive(packetId: number, passage: Passage | undefined): void {
    if (this.received === NOTHING) this.received = new Map();
    (this.received as Map<number, Passage | undefined>).set(packetId, passage);
  }

  /** It was released. */
  unreceive(packetId: number): void {
    if (this.received !== NOTHING) (this.received as Map<number, Passage | undefined>).delete(packetId);
  }

  /** True if anything waits that freed quota lets go. */
  get isWaiting(): boolean {
    return this.behind || this.queue.size > 0 || this.handover !== undefined;
  }

  get online(): boolean {
    return this.client !== undefined;
  }

  get inFlight(): number {
    return this.sent.size;
  }

  record(): StoredSession {
    const { realm, name, roles, kind } = this.identity;
    return {
      key: this.key,
      realm,
      name,
      clientId: this.clientId,
      generation: this.generation,
      expirySeconds: this.expirySeconds,
      endedAtMs: this.endedAtMs,
      sentSeq: this.sentSeq,
      unsureSeq: this.unsureSeq,
      listener: this.subject.facts.listener.name,
      address: this.subject.facts.address,
      // No registry has them.
      ...(realm.startsWith(TOKEN_REALM) ? { roles, kind } : {}),
      ...(this.certificate === undefined ? {} : { certificate: this.certificate }),
    };
  }
}
