import { describe, expect, it } from 'vitest';
import type { Message } from '../../ports/message.ts';
import type { RetainedTotals, StoreRecord } from '../../ports/store.ts';
import { buildBatch } from './batch.ts';
import { Bodies } from './bodies.ts';
import type { Write } from './engine.ts';
import { bodyKey, KEY, queueKey, retainedKey, sessionKeyOf } from './keys.ts';
import { decodeMessage, decodeQueued } from './records.ts';
import { factsOf, RetainedAhead } from './retained-ahead.ts';
import { decodeTotals, NO_TOTALS, TOTALS_KEY } from './retained-totals.ts';
import { unseal } from './seal.ts';
import { SessionNumbers } from './sessions.ts';
import type { Staged } from './staging.ts';

const UTF8 = new TextEncoder();

function message(topic: string, payload = 'x', expiresAtMs = 0): Message {
  const fields = { properties: new Uint8Array(0), expiresAtMs, publisher: '', owner: '' };
  return {
    topic,
    topicBytes: UTF8.encode(topic),
    payload: UTF8.encode(payload),
    qos: 1,
    retain: true,
    ...fields,
  } as Message;
}

/** A database that batches are applied to, with sessions `a` = 1 and `b` = 2. */
class Database {
  readonly entries = new Map<string, Uint8Array>();
  readonly sessions = new SessionNumbers();
  readonly bodies = new Bodies();
  totals = { messages: 0, bytes: 0 };
  readonly owners = new Map<string, RetainedTotals>();
  readonly ahead = new RetainedAhead((topic) => {
    const content = this.read(retainedKey(UTF8.encode(topic)));
    return content === undefined ? undefined : factsOf(decodeMessage(content));
  });

  constructor() {
    this.bodies.startAt(1);
    this.sessions.of('a');
    this.sessions.of('b');
  }

  commit(...records: readonly StoreRecord[]): readonly Write[] {
    const staged = records.map((record): Staged => {
      const session = 'key' in record ? (this.sessions.find(record.key) ?? 0) : 0;
      if (record.kind === 'queue' && record.entry.message !== undefined) this.bodies.stage(record.entry.message);
      const isRetained = record.kind === 'retain' || record.kind === 'unretain';
      const before = isRetained ? this.ahead.stage(record) : undefined;
      return { record, session, patient: false, group: 0, bytes: 0, before };
    });
    for (const record of records) if (record.kind === 'session-end') this.sessions.end(record.key);
    const { writes, totals, owners, retained } = buildBatch(staged, [], this.totals, {
      sessions: this.sessions,
      bodies: this.bodies,
      read: (key) => this.read(key),
      retainedOf: (owner) => this.owners.get(owner) ?? NO_TOTALS,
    });
    this.totals = { ...totals };
    for (const [owner, own] of owners) this.owners.set(owner, own);
    for (const { key, value } of writes) {
      if (value === undefined) this.entries.delete(nameOf(key));
      else this.entries.set(nameOf(key), value);
    }
    this.ahead.written(retained);
    return writes;
  }

  read(key: Uint8Array): Uint8Array | undefined {
    const value = this.entries.get(nameOf(key));
    return value === undefined ? undefined : unseal(key, value);
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}

function queue(key: string, seq: number, one: Message | undefined): StoreRecord {
  const entry = { seq, message: one, qos: 2, retain: false, subscriptionIds: [], share: '', queuedAtMs: 1 };
  return { kind: 'queue', key, entry } as StoreRecord;
}

describe('a batch', () => {
  it('writes what several queues owe once, and removes it with the last of them, also within one batch', () => {
    const database = new Database();
    const one = message('t');
    database.commit(queue('a', 1, one), queue('b', 1, one));
    expect(decodeQueued(database.read(queueKey(1, 1)) as Uint8Array)).toMatchObject({ body: 1, message: undefined });
    expect(database.read(bodyKey(1))).toBeDefined();
    database.commit({ kind: 'dequeue', key: 'a', seq: 1 });
    expect(database.read(bodyKey(1))).toBeDefined();
    database.commit({ kind: 'released', key: 'b', seq: 1 }, { kind: 'dequeue', key: 'b', seq: 1 });
    expect([...database.entries.keys()]).toEqual([]);
  });

  it('leaves of a released copy that PUBREL is owed', () => {
    const database = new Database();
    database.commit(queue('a', 7, message('t')));
    database.commit({ kind: 'released', key: 'a', seq: 7 });
    expect(decodeQueued(database.read(queueKey(1, 7)) as Uint8Array)).toMatchObject({
      qos: 2,
      bytes: 0,
      message: undefined,
    });
  });

  it('releases and dequeues what is not there without a trace', () => {
    const database = new Database();
    expect(database.commit({ kind: 'released', key: 'a', seq: 7 }, { kind: 'dequeue', key: 'a', seq: 7 })).toEqual([]);
  });

  it('writes nothing for a session that ended, and gives back the bodies that its copies would have had', () => {
    const database = new Database();
    const one = message('t');
    database.commit({ kind: 'session-end', key: 'a' }, queue('a', 1, one), {
      kind: 'unsubscribe',
      key: 'a',
      filter: 'x' as never,
    });
    expect(database.read(sessionKeyOf(KEY.session, 1))).toBeUndefined();
    expect([...database.entries.keys()]).toEqual([]);
    database.commit(queue('b', 1, one));
    expect(decodeQueued(database.read(queueKey(2, 1)) as Uint8Array).message).toBeDefined();
  });

  it('counts retained messages as they come, change and go, several times in one batch too', () => {
    const database = new Database();
    database.commit(
      { kind: 'retain', message: message('a/b', '12345') },
      { kind: 'retain', message: message('a/b', '1') },
      { kind: 'retain', message: message('c', '123') },
    );
    expect(database.totals).toEqual({ messages: 2, bytes: 'a/b1c123'.length });
    expect(decodeTotals(database.read(TOTALS_KEY) as Uint8Array)).toEqual(database.totals);
    database.commit({ kind: 'unretain', topic: 'c' as never }, { kind: 'unretain', topic: 'c' as never });
    database.commit({ kind: 'unretain', topic: 'never there' as never });
    expect(database.totals).toEqual({ messages: 1, bytes: 4 });
    database.commit({ kind: 'unretain', topic: 'a/b' as never });
    expect(decodeTotals(database.read(TOTALS_KEY) as Uint8Array)).toEqual({ messages: 0, bytes: 0 });
  });

  it('forgets an expired retained message only if no newer one has taken its place', () => {
    const database = new Database();
    database.commit({ kind: 'retain', message: message('t', 'old', 1_000) });
    database.commit(
      { kind: 'retain', message: message('t', 'new', 9_000) },
      { kind: 'unretain', topic: 't' as never, expiredAtMs: 1_000 },
    );
    expect(database.read(retainedKey(UTF8.encode('t')))).toBeDefined();
    database.commit({ kind: 'unretain', topic: 't' as never, expiredAtMs: 9_000 });
    expect(database.totals).toEqual({ messages: 0, bytes: 0 });
  });

  it('puts what it is told first before all else', () => {
    const database = new Database();
    const first = [{ key: Uint8Array.of(1), value: undefined }];
    const parts = {
      sessions: database.sessions,
      bodies: database.bodies,
      read: () => undefined,
      retainedOf: () => NO_TOTALS,
    };
    const { writes } = buildBatch([], first, database.totals, parts);
    expect(writes).toEqual(first);
  });
});
