import { filterCovers, topicMatches } from '@motte/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Subject } from '../ports/access.ts';
import { type CompiledRules, compileRules } from './compile.ts';
import { decide, type MessageFacts } from './decide.ts';
import { policyOf, roleOf } from './policy.ts';
import type { Action } from './rule.ts';

const SUBJECT: Subject = {
  identity: { realm: 'ca:motte', name: 'pump-1', kind: 'device', roles: ['r'] },
  clientId: 'pump-1',
  facts: {
    listener: {
      name: 'devices',
      scheme: 'mqtts',
      authentication: 'certificate',
      role: undefined,
      clientIds: 'own',
      versions: [5],
    },
    address: '10.1.2.3',
  },
};

function rulesOf(...texts: string[]): CompiledRules {
  return compileRules(policyOf([roleOf('r', texts)]), SUBJECT);
}

function outcome(rules: CompiledRules, action: Action, target: string, message?: MessageFacts): string {
  return decide(rules, action, target, message).outcome;
}

const PLAIN: MessageFacts = { qos: 0, retain: false, sealed: false };

describe('decide', () => {
  it('says no where no rule speaks', () => {
    expect(outcome(rulesOf(), 'publish', 'a', PLAIN)).toBe('deny');
    expect(outcome(rulesOf('allow publish a'), 'receive', 'a')).toBe('deny');
    expect(outcome(rulesOf('allow publish a'), 'subscribe', 'a')).toBe('deny');
    expect(outcome(rulesOf('allow receive a'), 'subscribe', 'a')).toBe('deny');
  });

  it('a matching deny wins, whatever the order', () => {
    for (const rules of [
      rulesOf('deny publish a/b', 'allow publish a/#'),
      rulesOf('allow publish a/#', 'deny publish a/b'),
    ]) {
      expect(outcome(rules, 'publish', 'a/b', PLAIN)).toBe('deny');
      expect(outcome(rules, 'publish', 'a/c', PLAIN)).toBe('allow');
    }
  });

  it('allow subscribe covers narrower filters and implies receive', () => {
    const rules = rulesOf('allow subscribe a/#');
    for (const filter of ['a/#', 'a', 'a/b', 'a/+/c', 'a/b/#'])
      expect(outcome(rules, 'subscribe', filter)).toBe('allow');
    for (const filter of ['#', '+', '+/b', 'b', '+/#']) expect(outcome(rules, 'subscribe', filter)).toBe('deny');
    expect(outcome(rules, 'receive', 'a/b')).toBe('allow');
    expect(outcome(rules, 'receive', 'b')).toBe('deny');
  });

  it('deny subscribe refuses filters within it; a wider one is granted and delivers nothing from it', () => {
    const rules = rulesOf('allow subscribe a/#', 'deny subscribe a/secret/#');
    expect(outcome(rules, 'subscribe', 'a/secret/#')).toBe('deny');
    expect(outcome(rules, 'subscribe', 'a/secret/+')).toBe('deny');
    expect(outcome(rules, 'subscribe', 'a/secret')).toBe('deny');
    expect(outcome(rules, 'subscribe', 'a/#')).toBe('allow');
    expect(outcome(rules, 'subscribe', 'a/+/x')).toBe('allow');
    expect(outcome(rules, 'receive', 'a/secret/x')).toBe('deny');
    expect(outcome(rules, 'receive', 'a/open')).toBe('allow');
  });

  it('deny receive leaves the subscription and takes the messages', () => {
    const rules = rulesOf('allow subscribe a/#', 'deny receive a/b');
    expect(outcome(rules, 'subscribe', 'a/b')).toBe('allow');
    expect(outcome(rules, 'receive', 'a/b')).toBe('deny');
  });

  it('[MQTT-4.7.2-1] a wildcard in the first level says nothing about $ topics', () => {
    const rules = rulesOf('allow all #', 'allow publish +/x');
    expect(outcome(rules, 'publish', '$SYS/x', PLAIN)).toBe('deny');
    expect(outcome(rules, 'subscribe', '$SYS/#')).toBe('deny');
    expect(outcome(rules, 'receive', '$SYS/x')).toBe('deny');
    expect(outcome(rules, 'subscribe', '#')).toBe('allow');
    expect(outcome(rulesOf('allow subscribe $SYS/#'), 'subscribe', '$SYS/#')).toBe('allow');
  });

  it('conditions are asked of each message', () => {
    const rules = rulesOf(
      'allow publish a qos<=1 no-retain',
      'allow subscribe s',
      'deny subscribe s qos<=0',
      'allow subscribe t sealed',
    );
    expect(outcome(rules, 'publish', 'a')).toBe('ask');
    expect(outcome(rules, 'publish', 'a', { ...PLAIN, qos: 1 })).toBe('allow');
    expect(outcome(rules, 'publish', 'a', { ...PLAIN, qos: 2 })).toBe('deny');
    expect(outcome(rules, 'publish', 'a', { ...PLAIN, retain: true })).toBe('deny');
    expect(outcome(rules, 'subscribe', 's')).toBe('allow');
    expect(outcome(rules, 'receive', 's')).toBe('ask');
    expect(outcome(rules, 'receive', 's', PLAIN)).toBe('deny');
    expect(outcome(rules, 'receive', 's', { ...PLAIN, qos: 1 })).toBe('allow');
    expect(outcome(rules, 'subscribe', 't')).toBe('allow');
    expect(outcome(rules, 'receive', 't', PLAIN)).toBe('deny');
    expect(outcome(rules, 'receive', 't', { ...PLAIN, sealed: true })).toBe('allow');
  });

  it('names the rule that decided', () => {
    const rules = rulesOf('allow publish a/#', 'deny publish a/b', 'allow publish c qos<=0');
    expect(decide(rules, 'publish', 'a/b', PLAIN).by?.label).toBe('role r, rule 2');
    expect(decide(rules, 'publish', 'a/c', PLAIN).by?.label).toBe('role r, rule 1');
    expect(decide(rules, 'publish', 'c', { ...PLAIN, qos: 1 })).toMatchObject({
      by: undefined,
      missed: { label: 'role r, rule 3' },
    });
  });

  it('agrees with a twin that enumerates topics', () => {
    fc.assert(
      fc.property(fc.array(ruleTexts, { maxLength: 6 }), filters, topics, messages, (texts, filter, topic, message) => {
        const rules = rulesOf(...texts);
        for (const action of ['publish', 'receive'] as const) {
          expect(outcome(rules, action, topic, message)).toBe(
            slowMessage(texts, action, topic, message) ? 'allow' : 'deny',
          );
          const all = MESSAGES.map((one) => slowMessage(texts, action, topic, one));
          const without = outcome(rules, action, topic);
          if (without === 'allow') expect(all).not.toContain(false);
          if (without === 'deny') expect(all).not.toContain(true);
        }
        expect(outcome(rules, 'subscribe', filter)).toBe(slowSubscribe(texts, filter) ? 'allow' : 'deny');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('filterCovers, on which every subscription decision rests', () => {
  it('is true exactly if every topic that the narrow filter matches is matched by the wide one', () => {
    fc.assert(
      fc.property(filters, filters, (wide, narrow) => {
        expect({ wide, narrow, covers: filterCovers(wide, narrow) }).toEqual({
          wide,
          narrow,
          covers: slowCovers(wide, narrow),
        });
      }),
      { numRuns: 5000 },
    );
  });
});

// The twin: topics of one level more than any filter has, over every level that filters name and one (`z`) that none does,
// show every difference that two such filters can have.

const LEVELS = ['a', 'b', '$x', '', 'z'];
const UNIVERSE = universe(4);

function universe(depth: number): string[] {
  let rows: string[][] = [[]];
  const all: string[] = [];
  for (let i = 0; i < depth; i++) {
    rows = rows.flatMap((row) => LEVELS.map((level) => [...row, level]));
    all.push(...rows.map((row) => row.join('/')).filter((topic) => topic !== ''));
  }
  return all;
}

function slowCovers(wide: string, narrow: string): boolean {
  return UNIVERSE.every((topic) => !topicMatches(narrow, topic) || topicMatches(wide, topic));
}

const filters = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '$x', '', '+'), { minLength: 0, maxLength: 3 }), fc.boolean())
  .map(([levels, hash]) => (hash ? [...levels.slice(0, 2), '#'] : levels).join('/'))
  .filter((filter) => filter !== '');
const topics = fc.constantFrom(...UNIVERSE);
const MESSAGES: MessageFacts[] = [0, 1, 2].flatMap((qos) =>
  [false, true].map((retain) => ({ qos: qos as 0 | 1 | 2, retain, sealed: false })),
);
const messages = fc.constantFrom(...MESSAGES);
const ruleTexts = fc
  .tuple(
    fc.constantFrom('allow', 'allow', 'deny'),
    fc.constantFrom('publish', 'subscribe', 'receive', 'all'),
    filters,
    fc.constantFrom('', '', ' qos<=1', ' no-retain', ' sealed', ' qos<=0 no-retain'),
  )
  .map(([effect, action, filter, conditions]) => `${effect} ${action} '${filter}'${conditions}`);

function partsOf(text: string) {
  const [, effect, action, filter, rest] = /^(\w+) (\w+) '(.*)'(.*)$/.exec(text) as unknown as string[];
  return { effect, action: action as string, filter: filter as string, rest: rest as string };
}

function slowMessage(texts: string[], action: 'publish' | 'receive', topic: string, message: MessageFacts): boolean {
  const speaking = action === 'publish' ? ['publish', 'all'] : ['receive', 'subscribe', 'all'];
  const matching = texts
    .map(partsOf)
    .filter((rule) => speaking.includes(rule.action))
    .filter((rule) => topicMatches(rule.filter, topic))
    .filter((rule) => !rule.rest.includes('qos<=0') || message.qos === 0)
    .filter((rule) => !rule.rest.includes('qos<=1') || message.qos <= 1)
    .filter((rule) => !rule.rest.includes('no-retain') || !message.retain)
    .filter((rule) => !rule.rest.includes('sealed'));
  return matching.length > 0 && matching.every((rule) => rule.effect === 'allow');
}

function slowSubscribe(texts: string[], filter: string): boolean {
  const covering = texts
    .map(partsOf)
    .filter((rule) => rule.action === 'subscribe' || rule.action === 'all')
    .filter((rule) => slowCovers(rule.filter, filter))
    .filter((rule) => rule.effect === 'allow' || rule.rest === '');
  return covering.length > 0 && covering.every((rule) => rule.effect === 'allow');
}
