// One page of a session's queue, each copy with its message wherever that stands. Commits go on meanwhile: the page is as of
// the moment it was asked for, and what changed since is recognised and not taken for damage.

import type { Message } from '../../ports/message.ts';
import type { QueuedMessage } from '../../ports/store.ts';
import type { Engine } from './engine.ts';
import { bodyKey, KEY, queueKey, seqOf } from './keys.ts';
import { behindSession } from './load.ts';
import type { Quarantine } from './quarantine.ts';
import { decodeMessage, decodeQueued } from './records.ts';

export interface QueuePlace {
  readonly session: number;
  readonly afterSeq: number;
  readonly max: number;
}

/** Up to `max` copies behind `afterSeq`; fewer only at the end of the queue. */
export async function queuePage(
  engine: Engine,
  quarantine: Quarantine,
  { session, afterSeq, max }: QueuePlace,
): Promise<readonly QueuedMessage[]> {
  const copies: QueuedMessage[] = [];
  const scan = engine.scan(queueKey(session, afterSeq + 1), behindSession(KEY.queue, session));
  try {
    while (copies.length < max) {
      const page = await scan.next(Math.min(max - copies.length, PAGE));
      if (page.length === 0) break;
      for (const [key, value] of page) {
        const copy = copyOf(engine, quarantine, key, value);
        if (copy !== undefined) copies.push(copy);
      }
    }
  } finally {
    await scan.close();
  }
  return copies;
}

/** The engine makes room for as many as it is asked for. */
const PAGE = 256;

/** Undefined if it is damaged, or gone meanwhile. */
function copyOf(engine: Engine, quarantine: Quarantine, key: Uint8Array, value: Uint8Array): QueuedMessage | undefined {
  const content = quarantine.unseal(key, value);
  if (content === undefined) return undefined;
  const { qos, retain, share, subscriptionIds, queuedAtMs, body, message } = decodeQueued(content);
  const whole = body === 0 ? message : bodyOf(engine, quarantine, body);
  if (body === 0 || whole !== undefined) {
    return { seq: seqOf(key), message: whole, qos, retain, subscriptionIds, share, queuedAtMs };
  }
  // A body goes in one write with the last copy that refers to it: if the copy stands as it was, its message is lost.
  const now = engine.get(key);
  if (now === undefined) return undefined;
  if (Buffer.compare(now, value) !== 0) return copyOf(engine, quarantine, key, now);
  quarantine.take(key, value, 'the message that it refers to is gone');
  return undefined;
}

function bodyOf(engine: Engine, quarantine: Quarantine, body: number): Message | undefined {
  const key = bodyKey(body);
  const value = engine.get(key);
  const content = value === undefined ? undefined : quarantine.unseal(key, value);
  return content === undefined ? undefined : decodeMessage(content);
}
