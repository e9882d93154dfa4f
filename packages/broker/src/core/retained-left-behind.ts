// Retained messages of identities that are gone: kept, cleared, or a last word in their stead, as `identity.onRevoke` says.
// Clearing reads all that is retained page by page, so that a million of them hold nobody up.

import { parseTopicFilter, parseTopicName, type TopicName } from '@motte/wire';
import type { Identity } from '../ports/identity.ts';
import type { Message } from '../ports/message.ts';
import { NO_QUOTAS } from '../ports/quotas.ts';
import type { Cursor } from '../ports/store.ts';
import type { Core } from './core.ts';
import { mayRetain, retainMessage } from './retained.ts';

/** Retained messages asked of the store at a time. */
const PAGE = 256;

const EVERYTHING = parseTopicFilter('#');

/** Clears what `isGone` says of the owner's key; resolves with how many there were, or rejects with the store's fault. */
export function clearRetained(core: Core, isGone: (owner: string) => boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    /** What was retained since the page was asked for: newer than what the page has, whoever owns it. */
    const newer = new Set<TopicName>();
    const watch = { retained: ({ topic }: Message) => void newer.add(topic) };
    let cleared = 0;
    core.retainedWatches.add(watch);
    const done = (settle: () => void): void => {
      core.retainedWatches.delete(watch);
      settle();
    };
    const read = (cursor: Cursor): void => {
      newer.clear();
      core.store.matchRetained(EVERYTHING, cursor, PAGE, (messages, next, fault) => {
        if (fault !== undefined) return done(() => reject(fault));
        for (const { topic, owner } of messages) {
          if (newer.has(topic) || !isGone(owner)) continue;
          core.store.stage({ kind: 'unretain', topic }, true);
          cleared += 1;
        }
        if (next === undefined) done(() => resolve(cleared));
        else read(next);
      });
    };
    read(undefined);
  });
}

/** Publishes on a topic, retained, that an identity is gone; `${device}` in it is its name. */
export function publishGone(core: Core, topicText: string, identity: Pick<Identity, 'realm' | 'name'>): void {
  const topic = parseTopicName(topicText.replaceAll('${device}', identity.name));
  const payload = core.utf8(JSON.stringify({ device: identity.name, state: 'revoked', atMs: core.nowMs }) as TopicName);
  const own = { qos: 1, retain: true, properties: NOTHING, publisher: '', owner: '' } as const;
  const message: Message = { topic, topicBytes: core.utf8(topic), payload, ...own, expiresAtMs: 0, given: undefined };
  if (mayRetain(core, topic, payload.length, own.owner, NO_QUOTAS).allow) retainMessage(core, message);
  core.route(message);
}

const NOTHING = new Uint8Array(0);
