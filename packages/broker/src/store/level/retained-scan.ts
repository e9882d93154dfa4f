// One page of the retained messages that a filter matches (4.7): jumps from one possible topic to the next in the order of
// keys. Bytes of keys are looked at as characters, one each: their order is that of the database.

import type { TopicFilter, TopicName } from '@motte/wire';
import type { Message } from '../../ports/message.ts';
import { behind, firstOf, nextAfter } from '../retained-order.ts';
import type { Engine, Entry } from './engine.ts';
import { KEY, rangeOf, retainedKey } from './keys.ts';
import type { Unseal } from './load.ts';
import { decodeMessage } from './records.ts';

export interface RetainedPage {
  readonly messages: readonly Message[];
  /** Where to go on; undefined = there is no more. */
  readonly next: string | undefined;
}

/** Up to `max` messages that match, from `from` on; looks at a bounded number of topics, whatever the filter. */
export async function retainedPage(
  engine: Engine,
  unseal: Unseal,
  filter: TopicFilter,
  from: string | undefined,
  max: number,
): Promise<RetainedPage> {
  const messages: Message[] = [];
  const take = (key: Uint8Array, value: Uint8Array): void => {
    const content = unseal(key, value);
    if (content !== undefined) messages.push(decodeMessage(content));
  };
  if (!filter.includes('+') && !filter.endsWith('#')) {
    const key = retainedKey(UTF8.encode(filter));
    const value = engine.get(key);
    if (value !== undefined) take(key, value);
    return { messages, next: undefined };
  }
  const levels = Buffer.from(filter).toString('latin1').split('/');
  let wanted: string | undefined = from ?? firstOf(levels);
  const [start, end] = rangeOf(KEY.retained);
  const scan = engine.scan(start, end);
  try {
    scan.seek(keyAt(wanted));
    let steps = 0;
    let chunk = CHUNK_MIN;
    while (steps < STEPS_MAX && messages.length < max) {
      const entries: readonly Entry[] = await scan.next(Math.min(chunk, max - messages.length));
      if (entries.length === 0) return { messages, next: undefined };
      let jumped = false;
      for (const [key, value] of entries) {
        steps += 1;
        const place = placeOf(key);
        if (place < wanted) continue;
        wanted = nextAfter(levels, place);
        if (wanted === undefined) return { messages, next: undefined };
        if (wanted !== place) {
          scan.seek(keyAt(wanted));
          jumped = true;
          break;
        }
        take(key, value);
        wanted = behind(place);
      }
      // Where topics that match stand side by side, more are read at a time.
      chunk = jumped ? CHUNK_MIN : chunk * 2;
    }
    return { messages, next: wanted };
  } finally {
    await scan.close();
  }
}

/** The page once the changes are made that wait for topics that match; they take their places in its order. */
export function pageWith(
  changes: ReadonlyMap<TopicName, Message | 'nothing'>,
  { messages, next }: RetainedPage,
  from: string | undefined,
  max: number,
): RetainedPage {
  const found = messages.filter(({ topic }) => !changes.has(topic)).map(placed);
  for (const change of changes.values()) {
    if (change === 'nothing') continue;
    const one = placed(change);
    if ((from === undefined || one.place >= from) && (next === undefined || one.place < next)) found.push(one);
  }
  found.sort((one, other) => (one.place < other.place ? -1 : 1));
  return { messages: found.slice(0, max).map(({ message }) => message), next: found[max]?.place ?? next };
}

function placed(message: Message): { readonly place: string; readonly message: Message } {
  return { place: placeOf(retainedKey(UTF8.encode(message.topic))), message };
}

/** Where a scan goes on behind a topic. */
export function placeBehind(topic: TopicName): string {
  return behind(placeOf(retainedKey(UTF8.encode(topic))));
}

function placeOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset + 1, key.byteLength - 1).toString('latin1');
}

function keyAt(place: string): Uint8Array {
  const key = Buffer.allocUnsafe(1 + place.length);
  key[0] = KEY.retained;
  key.write(place, 1, 'latin1');
  return key;
}

const UTF8 = new TextEncoder();
const CHUNK_MIN = 4;
/** Topics looked at per page. */
const STEPS_MAX = 1000;
