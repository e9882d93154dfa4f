// What the database holds of its sessions, read for a start or for one session: everything but the messages, of which only
// heads are looked at. Records of sessions that are no more are noted for sweeping.

import type { Message } from '../../ports/message.ts';
import type { OpenedSession, StoredSession, StoredSubscription, StoredWill } from '../../ports/store.ts';
import type { Records } from './engine.ts';
import { KEY, packetIdOfKey, seqOf, sessionKeyOf, sessionOf } from './keys.ts';
import {
  decodeQueued,
  decodeReceived,
  decodeSession,
  decodeSubscription,
  decodeWill,
  type QueuedHead,
} from './records.ts';

/** Gives the content of a record, undefined if it is damaged (and then deals with it). */
export type Unseal = (key: Uint8Array, value: Uint8Array) => Uint8Array | undefined;

export interface Loaded {
  readonly sessions: ReadonlyMap<number, OpenedSession>;
  /** Numbers of sessions that records were found of, although they are no more. */
  readonly ended: ReadonlySet<number>;
}

interface Opening {
  readonly session: StoredSession;
  readonly subscriptions: StoredSubscription[];
  received: Map<number, Message | undefined>;
  queuedMessages: number;
  queuedBytes: number;
  lastSeq: number;
  will: StoredWill | undefined;
}

/**
 * Loads the sessions with numbers from `first` to `last`. `onCopy` is told of every message in their queues.
 */
export async function loadSessions(
  records: Records,
  unseal: Unseal,
  { first, last }: { readonly first: number; readonly last: number },
  onCopy?: (head: QueuedHead) => void,
): Promise<Loaded> {
  const sessions = new Map<number, Opening>();
  const ended = new Set<number>();
  const each = async (
    kind: number,
    take: (session: Opening | undefined, key: Uint8Array, content: Uint8Array) => void,
  ): Promise<void> => {
    const scan = records.scan(sessionKeyOf(kind, first), behindSession(kind, last));
    // All that a session has of a kind stands together: it is looked up once.
    let number = -1;
    let session: Opening | undefined;
    try {
      for (let page = await scan.next(PAGE); page.length > 0; ) {
        // The database reads on while these are taken in.
        const next = scan.next(PAGE);
        next.catch(() => undefined);
        for (const [key, value] of page) {
          const of = sessionOf(key);
          if (of !== number) {
            number = of;
            session = sessions.get(number);
            if (session === undefined && kind !== KEY.session) ended.add(number);
          }
          const content = unseal(key, value);
          if (content === undefined) continue;
          if (kind === KEY.session) sessions.set(number, opening(decodeSession(content)));
          else take(session, key, content);
        }
        page = await next;
      }
    } finally {
      await scan.close();
    }
  };
  await each(KEY.session, () => undefined);
  await each(KEY.subscription, (session, _key, content) => session?.subscriptions.push(decodeSubscription(content)));
  await each(KEY.received, (session, key, content) => {
    if (session === undefined) return;
    if (session.received === NONE) session.received = new Map();
    // A copy: what a walk gives may be part of a whole file.
    session.received.set(packetIdOfKey(key), decodeReceived(new Uint8Array(content)));
  });
  await each(KEY.will, (session, _key, content) => {
    if (session !== undefined) session.will = decodeWill(new Uint8Array(content));
  });
  await each(KEY.queue, (session, key, content) => {
    const head = decodeQueued(content);
    // Copies of a session that ended refer to bodies until they are swept.
    onCopy?.(head);
    if (session === undefined) return;
    session.queuedMessages += 1;
    session.queuedBytes += head.bytes;
    session.lastSeq = seqOf(key);
  });
  return { sessions, ended };
}

function opening(session: StoredSession): Opening {
  return { session, subscriptions: [], received: NONE, queuedMessages: 0, queuedBytes: 0, lastSeq: 0, will: undefined };
}

/** The first key behind all that a session has of a kind. */
export function behindSession(kind: number, session: number): Uint8Array {
  return session >= SESSIONS_MAX ? Uint8Array.of(kind + 1) : sessionKeyOf(kind, session + 1);
}

/** The highest number a session can have. */
export const SESSIONS_MAX = 0xffff_ffff;

/** Shared by all that received nothing, and never written to. */
const NONE = new Map<number, Message | undefined>();

const PAGE = 1000;
