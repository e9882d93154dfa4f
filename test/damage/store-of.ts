// A store on real files as the broker leaves it, what is in it, and what a start finds again after something happened to the files.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  OpenedSession,
  QueuedMessage,
  Store,
  StoreRecord,
  StoreTrouble,
} from '../../packages/broker/src/ports/store.ts';
import { ClassicEngine } from '../../packages/broker/src/store/level/classic-engine.ts';
import { openLevelStore } from '../../packages/broker/src/store/level/open.ts';
import { message, session, subscription } from '../contract/store-fixtures.ts';

export const SESSIONS = ['pump', 'valve', 'panel'];

/** What is found, as texts: `pump:17:payload`, `retained:plant/3:payload`, `pump:filter`. */
export interface Found {
  readonly items: ReadonlySet<string>;
  readonly troubles: readonly string[];
}

export function openAt(path: string): Promise<Store> {
  return openLevelStore(new ClassicEngine(path), {
    lingerMs: 1,
    defer: setImmediate,
    after: (ms, run) => void setTimeout(run, ms),
    nowMs: Date.now,
  });
}

/** Writes messages numbered from `from` on, one commit for each and every session. */
export async function fill(path: string, from: number, to: number, bytes: number): Promise<void> {
  mkdirSync(path, { recursive: true });
  const store = await openAt(path);
  for (const key of SESSIONS) {
    store.stage({ kind: 'session', session: session(key) }, true);
    store.stage({ kind: 'subscribe', key, subscription: subscription('plant/#') }, true);
  }
  for (let n = from; n < to; n++) {
    const body = message(`plant/${n}`, `${n} `.padEnd(bytes, String(n % 10)));
    for (const [at, key] of SESSIONS.entries()) {
      // One message that two of them share, one of its own for the third.
      const own = at === 2 ? message(`plant/${n}`, `own ${n}`) : body;
      const entry = { seq: n, message: own, qos: 1, retain: false, subscriptionIds: [], share: '', queuedAtMs: 1 };
      store.stage({ kind: 'queue', key, entry } as StoreRecord, true);
    }
    store.stage({ kind: 'retain', message: body }, true);
    await committed(store);
  }
  await store.close();
}

/** Starts on the files and reads everything there is. */
export async function readBack(path: string): Promise<Found> {
  const troubles: string[] = [];
  const store = await openAt(path);
  store.onTrouble((trouble: StoreTrouble) => void troubles.push('why' in trouble ? trouble.why : trouble.kind));
  const items = new Set<string>();
  const sessions = await new Promise<readonly OpenedSession[]>((resolve, reject) => {
    store.listSessions((all, fault) => (fault === undefined ? resolve(all) : reject(fault)));
  });
  for (const { session: stored, subscriptions } of sessions) {
    for (const { filter } of subscriptions) items.add(`${stored.key}:${filter}`);
    const queue = await new Promise<readonly QueuedMessage[]>((resolve, reject) => {
      store.readQueue(stored.key, 0, 100_000, (all, fault) => (fault === undefined ? resolve(all) : reject(fault)));
    });
    for (const { seq, message: one } of queue) items.add(`${stored.key}:${seq}:${textOf(one?.payload)}`);
  }
  for (let cursor: string | number | undefined, isDone = false; !isDone; ) {
    cursor = await new Promise((resolve, reject) => {
      store.matchRetained('#' as never, cursor, 1_000, (messages, next, fault) => {
        for (const { topic, payload } of messages) items.add(`retained:${topic}:${textOf(payload)}`);
        if (fault === undefined) resolve(next);
        else reject(fault);
      });
    });
    isDone = cursor === undefined;
  }
  await store.close();
  return { items, troubles };
}

/** Names of the files that end like this, with their sizes. */
export function filesOf(path: string, pattern: RegExp): { readonly name: string; readonly bytes: Buffer }[] {
  const names = readdirSync(path).filter((name) => pattern.test(name));
  return names.sort().map((name) => ({ name, bytes: readFileSync(join(path, name)) }));
}

export function flip(path: string, name: string, bit: number): void {
  const bytes = readFileSync(join(path, name));
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  writeFileSync(join(path, name), bytes);
}

function committed(store: Store): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (store.isCommitted(store.lastTicket)) resolve();
      else setImmediate(look);
    };
    look();
  });
}

function textOf(payload: Uint8Array | undefined): string {
  return new TextDecoder().decode(payload);
}
