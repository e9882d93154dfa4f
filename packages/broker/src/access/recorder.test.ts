// What a watch keeps of one identity, and that nobody else passes through it.

import { parseTopicFilter, parseTopicName, type QoS } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import type { Rights, Subject } from '../ports/access.ts';
import { identityKey } from '../ports/identity.ts';
import { WATCH_LIMITS, type WatchedTerms } from '../ports/watch.ts';
import { PolicyAccess } from './access.ts';
import { policyOf, roleOf } from './policy.ts';
import { Recorder } from './recorder.ts';

const NOTHING = { payload: new Uint8Array(0) };
const FREE: WatchedTerms = { via: undefined, from: undefined, address: '', qosMax: 2, noRetain: false };

function subject(name: string, listener = 'devices', address = '10.1.2.3'): Subject {
  return {
    identity: { realm: 'ca:motte', name, kind: 'device', roles: ['wide'] },
    clientId: name,
    facts: {
      listener: {
        name: listener,
        scheme: 'mqtts',
        authentication: 'certificate',
        role: undefined,
        clientIds: 'own',
        versions: [5],
      },
      address,
    },
  };
}

function watched(...rules: string[]) {
  const access = new PolicyAccess(policyOf([roleOf('wide', rules)]));
  const rights = access.rightsOf(subject('pump-1'));
  const recorder = new Recorder();
  const key = identityKey(subject('pump-1').identity);
  access.watch(key, recorder);
  const publish = (topic: string, qos: QoS = 0, retain = false, by: Rights = rights) =>
    access.publish(by, parseTopicName(topic), qos, retain, NOTHING);
  const subscribe = (filter: string, by: Rights = rights) => access.subscribe(by, parseTopicFilter(filter));
  return { access, rights, recorder, key, publish, subscribe };
}

describe('a recorder', () => {
  it('sees every message of topics whose verdict is remembered, the boldest of each', () => {
    const { access, recorder, key, publish } = watched('allow all #');
    access.unwatch(key);
    publish('a');
    access.watch(key, recorder);
    publish('a');
    publish('a', 1);
    publish('a', 0, true);
    publish('b', 2);
    expect(recorder.record.publishes).toEqual([
      { topic: 'a', qosMax: 1, retained: true, terms: FREE },
      { topic: 'b', qosMax: 2, retained: false, terms: FREE },
    ]);
    expect(recorder.record).toMatchObject({ kind: 'device', roles: ['wide'] });
  });

  it('sees filters, of shared ones what is authorised', () => {
    const { recorder, subscribe } = watched('allow all #');
    subscribe('a/#');
    subscribe('$share/group/a/#');
    subscribe('$share/group/b');
    expect(recorder.record.filters).toEqual([
      { filter: 'a/#', terms: FREE },
      { filter: 'b', terms: FREE },
    ]);
  });

  it('keeps apart what was refused, with the rule', () => {
    const { recorder, publish, subscribe } = watched('allow publish a/# qos<=1', 'deny publish a/secret');
    publish('a/secret');
    publish('a/b', 2);
    publish('a/b', 1);
    publish('c');
    publish('c');
    subscribe('d');
    expect(recorder.record.publishes.map(({ topic, qosMax }) => [topic, qosMax])).toEqual([['a/b', 1]]);
    expect(recorder.record.filters).toEqual([]);
    expect(recorder.record.refusals.map(({ action, target, rule }) => [action, target, rule])).toEqual([
      ['publish', 'a/secret', 'role wide, rule 2'],
      ['publish', 'a/b', 'role wide, rule 1'],
      ['publish', 'c', 'role wide'],
      ['subscribe', 'd', 'role wide'],
    ]);
  });

  it('knows on which terms something was allowed, if on no others', () => {
    const { access, recorder, rights, publish, subscribe } = watched(
      'allow publish a/# via devices',
      'allow publish a/b/# from 10.1.0.0/16',
      'allow publish a/c',
      'allow subscribe d/# qos<=1 no-retain',
      'allow subscribe d/e',
    );
    publish('a/b/x');
    publish('a/c');
    subscribe('d/e');
    subscribe('d/f');
    const elsewhere = access.rightsOf(subject('pump-1', 'web'));
    publish('a/b/x', 0, false, elsewhere);
    publish('a/b/x', 1, false, rights);
    expect(recorder.record.publishes.map(({ topic, qosMax, terms }) => [topic, qosMax, terms])).toEqual([
      ['a/b/x', 1, { ...FREE, via: 'devices' }],
      ['a/c', 0, FREE],
      ['a/b/x', 0, { ...FREE, from: '10.1.0.0/16', address: '10.1.2.3' }],
    ]);
    expect(recorder.record.filters).toEqual([
      { filter: 'd/e', terms: FREE },
      { filter: 'd/f', terms: { ...FREE, qosMax: 1, noRetain: true } },
    ]);
  });

  it('sees nobody else, nothing after its end, and what is done under a policy that came meanwhile', () => {
    const { access, recorder, rights, key, publish } = watched('allow all #');
    const other = access.rightsOf(subject('pump-2'));
    const generation = access.generation;
    publish('theirs', 0, false, other);
    access.replacePolicy(policyOf([roleOf('wide', ['allow publish new'])]));
    publish('new');
    publish('old');
    publish('again', 0, false, access.rightsOf(subject('pump-1')));
    access.unwatch(key);
    publish('new/late', 0, false, rights);
    expect(recorder.record.publishes.map(({ topic }) => topic)).toEqual(['new']);
    expect(recorder.record.refusals.map(({ target }) => target)).toEqual(['old', 'again']);
    expect(access.generation).toBe(generation + 1);
  });
});

describe('what a recorder keeps is bounded', () => {
  it('by number: what is beyond is counted, and what is known goes on', () => {
    const { recorder, publish, subscribe } = watched('allow all a/#');
    for (let i = 0; i < WATCH_LIMITS.topicsMax + 5; i++) publish(`a/${i}`);
    for (let i = 0; i < WATCH_LIMITS.filtersMax + 3; i++) subscribe(`a/${i}`);
    for (let i = 0; i < WATCH_LIMITS.refusalsMax + 2; i++) publish(`b/${i}`);
    publish('a/0', 2);
    expect(recorder.seen).toEqual({
      topics: WATCH_LIMITS.topicsMax,
      filters: WATCH_LIMITS.filtersMax,
      refusals: WATCH_LIMITS.refusalsMax,
    });
    expect(recorder.record.unkept).toEqual({ publishes: 5, filters: 3, refusals: 2 });
    expect(recorder.record.publishes[0]).toMatchObject({ topic: 'a/0', qosMax: 2 });
  });

  it('by characters, of each and of all', () => {
    const { recorder, publish } = watched('allow all a/#');
    publish(`a/${'x'.repeat(WATCH_LIMITS.targetCharactersMax)}`);
    expect(recorder.record).toMatchObject({ publishes: [], unkept: { publishes: 1 } });
    for (let i = 0; i < 200; i++) publish(`a/${i}/${'x'.repeat(900)}`);
    const kept = recorder.record.publishes.reduce((sum, { topic }) => sum + topic.length, 0);
    expect(kept).toBeLessThanOrEqual(WATCH_LIMITS.charactersMax);
    expect(kept).toBeGreaterThan(WATCH_LIMITS.charactersMax - 1_000);
    expect(recorder.record.unkept.publishes).toBe(201 - recorder.record.publishes.length);
  });
});
