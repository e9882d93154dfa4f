// How many messages are retained and how many bytes they take, of everybody and of each identity: written with every commit that
// changes it, so that a start need not look at all of them.

import { sizeOf } from '../../ports/message.ts';
import type { RetainedTotals } from '../../ports/store.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import type { Engine, Write } from './engine.ts';
import { KEY, metaKey, ownerKey, rangeOf } from './keys.ts';
import type { Unseal } from './load.ts';
import { decodeMessage } from './records.ts';
import { seal } from './seal.ts';

const writer = new ByteWriter();

export function encodeTotals({ messages, bytes }: RetainedTotals): Uint8Array {
  return writer.number(messages).number(bytes).take();
}

export function decodeTotals(content: Uint8Array): RetainedTotals {
  const reader = new ByteReader(content);
  const totals = { messages: reader.number(), bytes: reader.number() };
  reader.end();
  return totals;
}

export interface KnownTotals {
  readonly totals: RetainedTotals;
  /** By the key of the identity; those who have nothing are not there. */
  readonly owners: Map<string, RetainedTotals>;
}

/** What the database says of it. Where that of each does not come to that of all, as before there was any, all are counted. */
export async function loadTotals(engine: Engine, unseal: Unseal): Promise<KnownTotals> {
  const value = engine.get(TOTALS_KEY);
  const content = value === undefined ? undefined : unseal(TOTALS_KEY, value);
  const totals = content === undefined ? NO_TOTALS : decodeTotals(content);
  const owners = new Map<string, RetainedTotals>();
  let [messages, bytes] = [0, 0];
  await eachOf(engine, KEY.owner, (key, entry) => {
    const own = unseal(key, entry);
    if (own === undefined) return;
    const known = decodeTotals(own);
    owners.set(UTF8.decode(key.subarray(1)), known);
    messages += known.messages;
    bytes += known.bytes;
  });
  if (messages === totals.messages && bytes === totals.bytes) return { totals, owners };
  return recount(engine, unseal, owners);
}

async function recount(engine: Engine, unseal: Unseal, before: ReadonlyMap<string, unknown>): Promise<KnownTotals> {
  let totals = NO_TOTALS;
  const owners = new Map<string, RetainedTotals>();
  await eachOf(engine, KEY.retained, (key, value) => {
    const content = unseal(key, value);
    if (content === undefined) return;
    const message = decodeMessage(content);
    totals = plus(totals, 1, sizeOf(message));
    owners.set(message.owner, plus(owners.get(message.owner) ?? NO_TOTALS, 1, sizeOf(message)));
  });
  const gone = [...before.keys()].filter((owner) => !owners.has(owner));
  const writes: Write[] = [
    ...gone.map((owner) => ({ key: ownerKey(owner), value: undefined })),
    ...[...owners].map(([owner, own]) => sealed(ownerKey(owner), own)),
    sealed(TOTALS_KEY, totals),
  ];
  await engine.write(writes);
  return { totals, owners };
}

export function plus({ messages, bytes }: RetainedTotals, more: number, moreBytes: number): RetainedTotals {
  return { messages: messages + more, bytes: bytes + moreBytes };
}

function sealed(key: Uint8Array, totals: RetainedTotals): Write {
  return { key, value: seal(key, encodeTotals(totals)) };
}

async function eachOf(engine: Engine, kind: number, look: (key: Uint8Array, value: Uint8Array) => void): Promise<void> {
  const scan = engine.scan(...rangeOf(kind));
  try {
    for (let page = await scan.next(PAGE); page.length > 0; page = await scan.next(PAGE)) {
      for (const [key, value] of page) look(key, value);
    }
  } finally {
    await scan.close();
  }
}

export const NO_TOTALS: RetainedTotals = Object.freeze({ messages: 0, bytes: 0 });
export const TOTALS_KEY = metaKey('retained');
const PAGE = 512;
const UTF8 = new TextDecoder();
