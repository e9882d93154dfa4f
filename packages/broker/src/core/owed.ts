// What sessions are owed, waiting or under way, summed per session, per identity and over all, and held against the limits.
// Whoever changes what a session is owed says it here and nowhere else, so that the sums stay exact.
//
// A full queue gives up what comes newly, whoever published it. A client that is there and owed no more than what may be under
// way to it is never full for the sake of others: who does not read costs only itself.

import { type Identity, identityKey } from '../ports/identity.ts';
import type { Limits } from '../ports/limits.ts';
import type { Quotas } from '../ports/quotas.ts';
import type { Rate } from './rate.ts';
import type { Session } from './session.ts';

/** What the sessions of one identity come to. */
export interface Account {
  readonly owner: string;
  /** False for the anonymous: everybody on a listener is the same one there. */
  readonly isLimited: boolean;
  sessions: number;
  /** Sessions that have a client now. */
  connections: number;
  messages: number;
  bytes: number;
  /** How fast it publishes; undefined = nothing bounds that, or it never did. */
  rate: Rate | undefined;
}

export class Owed {
  messages = 0;
  bytes = 0;
  private readonly limits: Limits;
  private readonly accounts = new Map<string, Account>();
  /** Without a session, kept until what they published is paid for: whoever connects anew gains nothing by it. */
  private readonly indebted = new Set<Account>();

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** A session of the identity begins. */
  enter({ realm, name, kind }: Identity): Account {
    const owner = identityKey({ realm, name });
    let account = this.accounts.get(owner);
    if (account === undefined) {
      account = { owner, isLimited: kind !== 'anonymous', ...NOTHING };
      this.accounts.set(owner, account);
    }
    account.sessions += 1;
    return account;
  }

  /** A session ends; whatever is settled of it afterwards counts no more. */
  leave(session: Session): void {
    this.set(session, 0, 0);
    session.isOver = true;
    const { account } = session;
    account.sessions -= 1;
    if (account.sessions > 0) return;
    if (account.rate === undefined) this.accounts.delete(account.owner);
    else this.indebted.add(account);
  }

  /** Forgets who has no session and owes nothing; called at every tick. */
  forget(nowMs: number): void {
    for (const account of this.indebted) {
      const isOver = account.sessions === 0 && account.rate?.isFull(nowMs) === true;
      if (isOver) this.accounts.delete(account.owner);
      if (isOver || account.sessions > 0) this.indebted.delete(account);
    }
  }

  /** A session is owed so much more, or less. */
  add(session: Session, messages: number, bytes: number): void {
    if (session.isOver) return;
    const { account } = session;
    session.owedMessages += messages;
    session.owedBytes += bytes;
    account.messages += messages;
    account.bytes += bytes;
    this.messages += messages;
    this.bytes += bytes;
  }

  /** A session is owed so much, whatever was known of it before. */
  set(session: Session, messages: number, bytes: number): void {
    this.add(session, messages - session.owedMessages, bytes - session.owedBytes);
  }

  /** Sessions of the identity, if there is a limit to them; 0 if there is none. */
  sessionsOf(identity: Identity): number {
    return identity.kind === 'anonymous' ? 0 : (this.accounts.get(identityKey(identity))?.sessions ?? 0);
  }

  /** Connections of the identity now. */
  connectionsOf(identity: Identity): number {
    return this.accounts.get(identityKey(identity))?.connections ?? 0;
  }

  /** Why the session can be owed no more; undefined = it can. */
  fullness(session: Session): string | undefined {
    const { limits } = this;
    const { owedMessages, owedBytes, account } = session;
    const { quotas } = session.rights;
    if (owedMessages >= limits.queueMessagesMax || owedBytes >= limits.queueBytesMax) return 'its queue is full';
    if (owedMessages >= quotas.queueMessages || owedBytes >= quotas.queueBytes) return queueFull(quotas);
    if (session.online && owedMessages < limits.inFlightMax) return undefined;
    if (account.isLimited && account.bytes >= limits.queuedBytesPerIdentityMax)
      return 'the queues of its identity are full';
    if (this.messages >= limits.queuedMessagesMax || this.bytes >= limits.queuedBytesMax)
      return 'the queues of all are full';
    return undefined;
  }

  /** The same, with only a part of the session's own queue to be filled. */
  hasRoom(session: Session, share: number): boolean {
    const { queueMessagesMax, queueBytesMax } = this.limits;
    const { owedMessages, owedBytes } = session;
    const { queueMessages, queueBytes } = session.rights.quotas;
    if (owedMessages >= Math.min(queueMessagesMax, queueMessages) * share) return false;
    if (owedBytes >= Math.min(queueBytesMax, queueBytes) * share) return false;
    return this.fullness(session) === undefined;
  }
}

function queueFull({ queueMessages, queueBytes, roles }: Quotas): string {
  const allowed = [
    ...(roles.queueMessages === undefined ? [] : [`${queueMessages} messages, role ${roles.queueMessages}`]),
    ...(roles.queueBytes === undefined ? [] : [`${queueBytes} bytes, role ${roles.queueBytes}`]),
  ];
  return `its queue is full by its quota (${allowed.join('; ')})`;
}

const NOTHING = { sessions: 0, connections: 0, messages: 0, bytes: 0, rate: undefined };
