// What every Store promises about retained messages; run by store-contract.ts.

import { expect, it } from 'vitest';
import type { Cursor, RetainedFacts } from '../../packages/broker/src/ports/store.ts';
import { parseTopicName, topicMatches } from '../../packages/wire/src/index.ts';
import { matchRetained, message, type OpenStore, retainedPage } from './store-fixtures.ts';

export function retainedContract(open: OpenStore): void {
  it('[MQTT-3.3.1-5] keeps one retained message per topic, the last, and counts them', async () => {
    const { store, settle } = await open();
    store.stage({ kind: 'retain', message: message('t', 'first') }, true);
    store.stage({ kind: 'retain', message: message('t', 'second!') }, true);
    store.stage({ kind: 'retain', message: message('u', '') }, true);
    await settle();
    expect(store.retainedCount).toBe(2);
    const bytes = store.retainedBytes;
    expect(bytes).toBeGreaterThanOrEqual('t'.length + 'second!'.length + 'u'.length);
    const found = await matchRetained(store, settle, 't', 10);
    expect(found.map((one) => new TextDecoder().decode(one.payload))).toEqual(['second!']);
    store.stage({ kind: 'unretain', topic: parseTopicName('t') }, true);
    store.stage({ kind: 'unretain', topic: parseTopicName('unknown') }, true);
    await settle();
    expect(store.retainedCount).toBe(1);
    expect(store.retainedBytes).toBeLessThan(bytes);
    store.stage({ kind: 'unretain', topic: parseTopicName('u') }, true);
    await settle();
    expect([store.retainedCount, store.retainedBytes]).toEqual([0, 0]);
    await store.close();
  });

  it('[MQTT-3.3.1-9] a scan has what was staged before it, urgent or not, committed or not', async () => {
    const { store, settle } = await open();
    store.stage({ kind: 'retain', message: message('t', 'old') }, true);
    store.stage({ kind: 'retain', message: message('u', 'old') }, true);
    await settle();
    for (const urgent of [true, false]) {
      for (const filter of ['t', '+']) {
        const payload = `${urgent} ${filter}`;
        store.stage({ kind: 'retain', message: message('t', payload) }, urgent);
        store.stage({ kind: 'unretain', topic: parseTopicName('u') }, urgent);
        const found = await matchRetained(store, settle, filter, 10);
        expect(found.map((one) => new TextDecoder().decode(one.payload))).toEqual([payload]);
      }
    }
    await store.close();
  });

  it('what is retained is counted for whoever published it last', async () => {
    const { store, settle } = await open();
    const of = (owner: string, topic: string, payload: string) => ({ ...message(topic, payload), owner });
    store.stage({ kind: 'retain', message: of('ca:motte\na', 't', 'x') }, true);
    store.stage({ kind: 'retain', message: of('ca:motte\na', 'u', 'xx') }, true);
    store.stage({ kind: 'retain', message: of('password\na', 'v', 'xxx') }, true);
    await settle();
    expect(store.retainedOf('ca:motte\na')).toEqual({ messages: 2, bytes: 5 });
    expect(store.retainedOf('password\na')).toEqual({ messages: 1, bytes: 4 });
    store.stage({ kind: 'retain', message: of('password\na', 't', 'xxxx') }, true);
    store.stage({ kind: 'retain', message: of('password\na', 't', 'xxxxx') }, true);
    store.stage({ kind: 'unretain', topic: parseTopicName('v') }, true);
    await settle();
    expect(store.retainedOf('ca:motte\na')).toEqual({ messages: 1, bytes: 3 });
    expect(store.retainedOf('password\na')).toEqual({ messages: 1, bytes: 6 });
    for (const name of ['t', 'u']) store.stage({ kind: 'unretain', topic: parseTopicName(name) }, true);
    await settle();
    for (const owner of ['ca:motte\na', 'password\na', 'nobody']) {
      expect(store.retainedOf(owner)).toEqual({ messages: 0, bytes: 0 });
    }
    await store.close();
  });

  it('what is staged is counted at once, exactly, however often a topic is in it and whenever it is committed', async () => {
    const { store, settle } = await open();
    const owners = ['ca:motte\na', 'password\nb'];
    const model = new Map<string, RetainedFacts>();
    const expectCounted = (when: string): void => {
      const of = (wanted: (facts: RetainedFacts) => boolean) => {
        const those = [...model.values()].filter(wanted);
        return { messages: those.length, bytes: those.reduce((sum, { bytes }) => sum + bytes, 0) };
      };
      expect({ messages: store.retainedCount, bytes: store.retainedBytes }, when).toEqual(of(() => true));
      for (const name of owners) expect(store.retainedOf(name), when).toEqual(of(({ owner }) => owner === name));
      for (const name of 'abcd') expect(store.retainedAt(parseTopicName(name)), when).toEqual(model.get(name));
    };
    // The same numbers in every run.
    let state = 7;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state >>> 12) % below;
    };
    for (let step = 0; step < 600; step++) {
      const topic = 'abcd'.charAt(next(4));
      const known = model.get(topic);
      const choice = next(5);
      if (choice < 3) {
        const facts = { owner: owners[next(2)] as string, expiresAtMs: next(2) * 1000 };
        const one = { ...message(topic, 'x'.repeat(1 + next(50))), ...facts };
        store.stage({ kind: 'retain', message: one }, next(2) === 0);
        model.set(topic, { bytes: 1 + one.payload.length, ...facts });
      } else if (choice === 3) {
        store.stage({ kind: 'unretain', topic: parseTopicName(topic) }, next(2) === 0);
        model.delete(topic);
      } else {
        store.stage({ kind: 'unretain', topic: parseTopicName(topic), expiredAtMs: 1000 }, next(2) === 0);
        if (known?.expiresAtMs === 1000) model.delete(topic);
      }
      expectCounted(`staged, step ${step}`);
      if (next(4) === 0) await new Promise((resolve) => setImmediate(resolve));
      if (next(12) === 0) {
        await settle();
        expectCounted(`committed, step ${step}`);
      }
    }
    await settle();
    expectCounted('at the end');
    const found = await matchRetained(store, settle, '+', 10);
    expect(found.map(({ topic }) => topic as string).sort()).toEqual([...model.keys()].sort());
    await store.close();
  });

  it('an expired retained message is forgotten only if no newer one stands there', async () => {
    const { store, settle } = await open();
    store.stage({ kind: 'retain', message: { ...message('t', 'old'), expiresAtMs: 1000 } }, true);
    store.stage({ kind: 'retain', message: { ...message('u', 'old'), expiresAtMs: 1000 } }, true);
    store.stage({ kind: 'retain', message: { ...message('t', 'new'), expiresAtMs: 0 } }, true);
    for (const name of ['t', 'u']) {
      store.stage({ kind: 'unretain', topic: parseTopicName(name), expiredAtMs: 2000 }, true);
    }
    await settle();
    expect(['t', 'u'].map((name) => store.retainedAt(parseTopicName(name)))).toEqual([
      { bytes: 4, owner: 'owner', expiresAtMs: 0 },
      undefined,
    ]);
    await store.close();
  });

  it('[MQTT-4.7.2-1] finds exactly the retained messages that a filter matches, in pages', async () => {
    const { store, settle } = await open();
    const levels = ['', 'a', 'b', 'a.b', 'ab', '!', '$s', '__proto__', '\u{1F600}'];
    const topics: string[] = [];
    for (const one of levels) {
      if (one !== '') topics.push(one);
      for (const two of levels) {
        topics.push(`${one}/${two}`);
        for (const three of ['', 'a', 'ab']) topics.push(`${one}/${two}/${three}`);
      }
    }
    for (const topic of topics) store.stage({ kind: 'retain', message: message(topic) }, true);
    await settle();
    expect(store.retainedCount).toBe(topics.length);
    const filters = [
      '#',
      '+',
      '+/#',
      '+/+',
      '+/a',
      'a/#',
      'a/+',
      'a/+/a',
      '+/b/#',
      '+/+/+',
      'a',
      '/',
      '/+',
      '+/',
      '//',
    ];
    filters.push('+/+/ab', '+/ab/+', '$s/#', '$s/+/a', '__proto__/+', 'zz/#', '+/zz', 'a/b/a/#', '!/#', '\u{1F600}/+');
    for (const filter of filters) {
      const expected = topics.filter((topic) => topicMatches(filter, topic)).sort();
      for (const max of [1, 7, 10_000]) {
        const found = (await matchRetained(store, settle, filter, max)).map((one) => one.topic).sort();
        expect({ filter, found }).toEqual({ filter, found: expected });
      }
    }
    await store.close();
  });

  it('a scan goes on behind any topic, whether or not anything is retained there', async () => {
    const { store, settle } = await open();
    const topics = ['a', 'a/b', 'a/b/c', 'a/\u{1F600}', 'a/\uFFFC', 'a/\u00e9', 'a!', 'b/', '/a'];
    for (const topic of topics) store.stage({ kind: 'retain', message: message(topic) }, true);
    await settle();
    const all = (await retainedPage(store, settle, '#', undefined, 20)).messages.map((one) => one.topic);
    expect(all).toHaveLength(topics.length);
    for (const [at, topic] of all.entries()) {
      if (at % 2 === 1) store.stage({ kind: 'unretain', topic }, true);
      const { messages } = await retainedPage(store, settle, '#', store.retainedBehind(topic), 20);
      expect(messages.map((one) => one.topic)).toEqual(all.slice(at + 1));
    }
    await store.close();
  });

  it('a scan goes on, without a topic twice, while retained messages come and go', async () => {
    const { store, settle } = await open();
    for (let i = 0; i < 200; i++) store.stage({ kind: 'retain', message: message(`t/${i}/x`) }, true);
    await settle();
    const found: string[] = [];
    let cursor: Cursor;
    for (let page = 0; ; page++) {
      const answer = await retainedPage(store, settle, '+/+/x', cursor, 10);
      found.push(...answer.messages.map((one) => one.topic));
      cursor = answer.next;
      if (cursor === undefined) break;
      store.stage({ kind: 'unretain', topic: parseTopicName(`t/${page}/x`) }, true);
      store.stage({ kind: 'retain', message: message(`t/new-${page}/x`) }, true);
      const last = answer.messages.at(-1);
      if (last !== undefined) store.stage({ kind: 'unretain', topic: last.topic }, true);
      await settle();
    }
    expect(new Set(found).size).toBe(found.length);
    const kept = Array.from({ length: 200 }, (_, i) => `t/${i}/x`).slice(50);
    expect(found).toEqual(expect.arrayContaining(kept));
    await store.close();
  });
}
