// What every Store promises, as tests that each implementation runs. The factory gives a fresh, empty store and a way to
// let its commits and answers happen; nothing here knows how the store does it.

import { describe, expect, it } from 'vitest';
import type { OpenedSession, QueuedMessage } from '../../packages/broker/src/ports/store.ts';
import { parseTopicFilter, parseTopicName } from '../../packages/wire/src/index.ts';
import { retainedContract } from './store-contract-retained.ts';
import {
  listSessions,
  message,
  type OpenStore,
  openSession,
  queued,
  readQueue,
  session,
  subscription,
} from './store-fixtures.ts';

export function storeContract(name: string, open: OpenStore): void {
  describe(`the Store contract: ${name}`, () => {
    retainedContract(open);

    it('answers for a commit after it, once, with the highest ticket', async () => {
      const { store, settle } = await open();
      const commits: number[] = [];
      store.onCommitted((upTo, fault) => {
        expect(fault).toBeUndefined();
        commits.push(upTo);
      });
      const first = store.stage({ kind: 'session', session: session('a') }, true);
      const second = store.stage({ kind: 'retain', message: message('t') }, false);
      expect(second).toBeGreaterThan(first);
      expect(commits).toEqual([]);
      expect([store.isCommitted(first), store.isCommitted(second)]).toEqual([false, false]);
      await settle();
      expect(commits.at(-1)).toBe(second);
      expect([store.isCommitted(first), store.isCommitted(second)]).toEqual([true, true]);
      const third = store.stage({ kind: 'unretain', topic: parseTopicName('t') }, true);
      expect([store.isCommitted(second), store.isCommitted(third)]).toEqual([true, false]);
      await settle();
      expect(commits.at(-1)).toBe(third);
      await store.close();
    });

    it('tells every listener, and what a listener stages is committed too', async () => {
      const { store, settle } = await open();
      let staged = 0;
      let seen = 0;
      store.onCommitted(() => {
        if (staged === 0) staged = store.stage({ kind: 'retain', message: message('later') }, true);
      });
      store.onCommitted((upTo) => {
        seen = upTo;
      });
      store.stage({ kind: 'retain', message: message('first') }, true);
      await settle();
      await settle();
      expect(seen).toBe(staged);
      expect(store.retainedCount).toBe(2);
      await store.close();
    });

    it('a struck record is not written, and nothing waits for it', async () => {
      const { store, settle } = await open();
      store.stage({ kind: 'session', session: session('a') }, true);
      await settle();
      const one = store.stage({ kind: 'queue', key: 'a', entry: queued(1) }, false);
      const two = store.stage({ kind: 'queue', key: 'a', entry: queued(2) }, false);
      expect(store.strike(one)).toBe(true);
      expect(store.isCommitted(one)).toBe(true);
      expect(store.isCommitted(two)).toBe(false);
      await settle();
      expect((await readQueue(store, settle, 'a', 0, 10)).map((entry) => entry.seq)).toEqual([2]);
      expect(store.strike(two)).toBe(false);
      await settle();
      expect(await readQueue(store, settle, 'a', 0, 10)).toHaveLength(1);
      await store.close();
    });

    it('answers in a later turn, with what was committed by then', async () => {
      const { store, settle } = await open();
      store.stage({ kind: 'session', session: session('a') }, true);
      await settle();
      let answers = 0;
      store.openSession('a', (opened) => {
        answers += 1;
        expect(opened?.session.key).toBe('a');
      });
      store.openSession('unknown', (opened) => {
        answers += 1;
        expect(opened).toBeUndefined();
      });
      store.readQueue('unknown', 0, 10, (entries) => {
        answers += 1;
        expect(entries).toEqual([]);
      });
      store.matchRetained(parseTopicFilter('#'), undefined, 10, (messages, next) => {
        answers += 1;
        expect([messages, next]).toEqual([[], undefined]);
      });
      expect(answers).toBe(0);
      await settle();
      expect(answers).toBe(4);
      await store.close();
    });

    it('keeps all that belongs to a session until its end, and then nothing', async () => {
      const { store, settle } = await open();
      const will = { message: message('will'), delaySeconds: 5, expirySeconds: -1 };
      store.stage({ kind: 'session', session: session('a') }, true);
      store.stage({ kind: 'session', session: session('b') }, true);
      for (const filter of ['x/#', '$share/g/y', 'z']) {
        store.stage({ kind: 'subscribe', key: 'a', subscription: subscription(filter) }, true);
      }
      store.stage({ kind: 'subscribe', key: 'a', subscription: { ...subscription('x/#'), qos: 2 } }, true);
      store.stage({ kind: 'unsubscribe', key: 'a', filter: parseTopicFilter('z') }, true);
      store.stage({ kind: 'receive', key: 'a', packetId: 7, message: message('held') }, true);
      store.stage({ kind: 'receive', key: 'a', packetId: 8, message: undefined }, true);
      store.stage({ kind: 'receive', key: 'a', packetId: 9, message: message('held') }, true);
      store.stage({ kind: 'received-end', key: 'a', packetId: 9 }, true);
      store.stage({ kind: 'queue', key: 'a', entry: queued(3) }, true);
      store.stage({ kind: 'will', key: 'a', will }, true);
      store.stage({ kind: 'session', session: { ...session('a'), generation: 2 } }, true);
      await settle();
      const opened = (await openSession(store, settle, 'a')) as OpenedSession;
      expect(opened.session.generation).toBe(2);
      expect(opened.subscriptions.map((one) => [one.filter, one.qos]).sort()).toEqual([
        ['$share/g/y', 1],
        ['x/#', 2],
      ]);
      expect([...opened.received.keys()].sort()).toEqual([7, 8]);
      expect(opened.received.get(7)?.topic).toBe('held');
      expect(opened.received.get(8)).toBeUndefined();
      expect([opened.queuedMessages, opened.lastSeq]).toEqual([1, 3]);
      expect(opened.queuedBytes).toBeGreaterThan(0);
      expect(opened.session.address).toBe('10.0.0.7');
      expect([opened.will?.message.topic, opened.will?.delaySeconds, opened.will?.expirySeconds]).toEqual([
        'will',
        5,
        -1,
      ]);
      expect((await listSessions(store, settle)).map((one) => one.session.key).sort()).toEqual(['a', 'b']);

      store.stage({ kind: 'unwill', key: 'a' }, true);
      await settle();
      expect((await openSession(store, settle, 'a'))?.will).toBeUndefined();
      expect([...opened.received.keys()].sort()).toEqual([7, 8]);

      store.stage({ kind: 'session-end', key: 'a' }, true);
      store.stage({ kind: 'queue', key: 'a', entry: queued(4) }, true);
      store.stage({ kind: 'subscribe', key: 'a', subscription: subscription('late') }, true);
      await settle();
      expect(await openSession(store, settle, 'a')).toBeUndefined();
      expect(await readQueue(store, settle, 'a', 0, 10)).toEqual([]);
      store.stage({ kind: 'session', session: session('a') }, true);
      await settle();
      const fresh = (await openSession(store, settle, 'a')) as OpenedSession;
      expect([fresh.subscriptions, fresh.received.size, fresh.queuedMessages, fresh.lastSeq, fresh.will]).toEqual([
        [],
        0,
        0,
        0,
        undefined,
      ]);
      await store.close();
    });

    it('reads a queue in order, page by page, and remembers what was released', async () => {
      const { store, settle } = await open();
      store.stage({ kind: 'session', session: session('a') }, true);
      for (let seq = 1; seq <= 100; seq++) store.stage({ kind: 'queue', key: 'a', entry: queued(seq) }, true);
      for (let seq = 1; seq <= 100; seq += 3) store.stage({ kind: 'dequeue', key: 'a', seq }, false);
      store.stage({ kind: 'released', key: 'a', seq: 3 }, true);
      store.stage({ kind: 'released', key: 'a', seq: 4 }, true);
      store.stage({ kind: 'dequeue', key: 'a', seq: 4711 }, true);
      await settle();
      const all: QueuedMessage[] = [];
      for (let after = 0; ; ) {
        const page = await readQueue(store, settle, 'a', after, 7);
        expect(page.length).toBeLessThanOrEqual(7);
        if (page.length === 0) break;
        all.push(...page);
        after = (page.at(-1) as QueuedMessage).seq;
      }
      const left = Array.from({ length: 100 }, (_, i) => i + 1).filter((seq) => (seq - 1) % 3 !== 0);
      expect(all.map((entry) => entry.seq)).toEqual(left);
      expect(all.map((entry) => entry.queuedAtMs)).toEqual(left.map((seq) => queued(seq).queuedAtMs));
      expect(all.filter((entry) => entry.message === undefined).map((entry) => entry.seq)).toEqual([3]);
      const opened = await openSession(store, settle, 'a');
      expect(opened?.queuedMessages).toBe(left.length);
      expect(opened?.lastSeq).toBeGreaterThanOrEqual(99);
      for (const seq of left) store.stage({ kind: 'dequeue', key: 'a', seq }, true);
      await settle();
      const empty = await openSession(store, settle, 'a');
      expect([empty?.queuedMessages, empty?.queuedBytes]).toEqual([0, 0]);
      await store.close();
    });

    it('reads what a queue owes at the moment, staged or committed, also of a session that ends next', async () => {
      const { store, settle } = await open();
      store.stage({ kind: 'session', session: session('a') }, true);
      for (const seq of [1, 2, 3, 4]) store.stage({ kind: 'queue', key: 'a', entry: queued(seq) }, true);
      await settle();
      store.stage({ kind: 'dequeue', key: 'a', seq: 1 }, false);
      store.stage({ kind: 'released', key: 'a', seq: 2 }, true);
      store.stage({ kind: 'queue', key: 'a', entry: queued(5) }, true);
      store.stage({ kind: 'dequeue', key: 'a', seq: 5 }, false);
      const struck = store.stage({ kind: 'queue', key: 'a', entry: queued(6) }, false);
      store.stage({ kind: 'queue', key: 'a', entry: queued(7) }, false);
      expect(store.strike(struck)).toBe(true);
      let owed: readonly QueuedMessage[] = [];
      store.readOwed('a', (entries, fault) => {
        expect(fault).toBeUndefined();
        owed = entries;
      });
      store.stage({ kind: 'session-end', key: 'a' }, true);
      store.stage({ kind: 'session', session: session('a') }, true);
      store.stage({ kind: 'queue', key: 'a', entry: queued(8) }, true);
      await settle();
      expect(owed.map(({ seq, message: owes }) => [seq, owes?.topic])).toEqual([
        [3, 'q'],
        [4, 'q'],
        [7, 'q'],
      ]);
      expect((await readQueue(store, settle, 'a', 0, 10)).map(({ seq }) => seq)).toEqual([8]);
      await store.close();
    });

    it('after it was closed it answers with a fault', async () => {
      const { store, settle } = await open();
      await store.close();
      await store.close();
      const faults: unknown[] = [];
      store.openSession('a', (_session, fault) => faults.push(fault));
      store.readQueue('a', 0, 1, (_entries, fault) => faults.push(fault));
      store.matchRetained(parseTopicFilter('#'), undefined, 1, (_messages, _next, fault) => faults.push(fault));
      store.listSessions((_sessions, fault) => faults.push(fault));
      await settle();
      expect(faults).toHaveLength(4);
      for (const fault of faults) expect(fault).toBeInstanceOf(Error);
    });
  });
}
