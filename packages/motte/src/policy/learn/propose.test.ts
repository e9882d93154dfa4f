// Proposals from what was recorded: narrow, whole, with tests that pass, and readable as a policy.

import { lintPolicy, type Policy, parsePolicyTest, policyOf, runTests } from '@motte/broker/policy';
import type { IdentityKind } from '@motte/broker/ports/identity';
import type { EndedWatch, WatchedRefusal, WatchedTerms, WatchRecord } from '@motte/broker/ports/watch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../document.ts';
import { propose } from './propose.ts';
import { renderProposal } from './render-proposal.ts';
import { SIBLINGS_MIN } from './topic-tree.ts';

const FREE: WatchedTerms = { via: undefined, from: undefined, address: '', qosMax: 2, noRetain: false };
const PUMP = { realm: 'ca:motte', name: 'pump-1' };
const WIDE = parsePolicy('roles:\n  wide: ["allow all #", "allow all $x/#"]\n', 'wide.yaml');
const MANY = Array.from({ length: SIBLINGS_MIN }, (_, i) => `x${i}`);

function did(what: Partial<WatchRecord>): EndedWatch {
  const nothing = { publishes: [], filters: [], refusals: [], unkept: { publishes: 0, filters: 0, refusals: 0 } };
  return { why: 'time', seconds: 60, record: { kind: 'device', roles: ['wide'], ...nothing, ...what } };
}

const sent = (topic: string, qosMax: 0 | 1 | 2 = 2, retained = true, terms = FREE) => ({
  topic,
  qosMax,
  retained,
  terms,
});
const asked = (filter: string, terms = FREE) => ({ filter, terms });

function proposed(ended: EndedWatch, policy: Policy = WIDE, identity = PUMP, kind: IdentityKind = 'device') {
  const registered = () => (kind === 'anonymous' ? undefined : { kind, roles: [] });
  const draft = propose(ended, { identity, policy, registered });
  const text = renderProposal(draft);
  const parsed = parsePolicy(text, 'proposal.yaml');
  const run = runTests(parsed, registered);
  expect(run.failed).toEqual([]);
  return { ...draft, text, parsed, run, registered };
}

describe('a proposal', () => {
  it('has its own name as a placeholder, conditions that held for all, and tests of what was seen', () => {
    const { role, rules, tests, unsaid, parsed, run } = proposed(
      did({
        publishes: [sent('devices/pump-1/up/temp', 1, false), sent('devices/pump-1/state', 0, true)],
        filters: [asked('devices/pump-1/down/#')],
      }),
    );
    expect(role).toBe('learned-pump-1');
    expect(rules).toEqual([
      'allow publish devices/$' + '{device}/up/temp qos<=1 no-retain',
      'allow publish devices/$' + '{device}/state qos<=0',
      'allow subscribe devices/$' + '{device}/down/#',
    ]);
    expect(tests).toEqual([
      'pump-1 may publish devices/pump-1/up/temp qos=1 as learned-pump-1',
      'pump-1 may not publish devices/somebody-else/up/temp qos=1 as learned-pump-1',
      'pump-1 may publish devices/pump-1/state retain as learned-pump-1',
      'pump-1 may not publish devices/somebody-else/state retain as learned-pump-1',
      'pump-1 may subscribe devices/pump-1/down/# as learned-pump-1',
      'pump-1 may not subscribe devices/somebody-else/down/# as learned-pump-1',
    ]);
    expect(unsaid).toEqual([]);
    expect(lintPolicy(parsed, { identities: [], listeners: [], tested: run.roles })).toEqual([]);
  });

  it('is about ${user} for a user, named with its realm', () => {
    const ann = { realm: 'password', name: 'ann' };
    const { rules, tests } = proposed(did({ kind: 'user', publishes: [sent('desk/ann')] }), WIDE, ann, 'user');
    expect(rules).toEqual(['allow publish desk/$' + '{user}']);
    expect(tests[0]).toBe('ann@password may publish desk/ann qos=2 retain as learned-ann');
  });

  it('keeps what its roles deny, and says so', () => {
    const policy = parsePolicy('roles:\n  wide: [allow all a/#, deny subscribe a/secret/#]\n', 'p.yaml');
    const { denies, text, parsed } = proposed(did({ filters: [asked('a/#')] }), policy);
    expect(denies).toEqual([{ role: 'wide', rule: 'deny subscribe a/secret/#', place: 'p.yaml:2:25' }]);
    expect(text).toContain('#   deny subscribe a/secret/# (role wide, p.yaml:2:25)\n');
    const secret = parsePolicyTest('pump-1 may not receive a/secret/x as learned-pump-1', '');
    expect(runTests({ ...parsed, tests: [secret] }, () => undefined).failed).toEqual([]);
  });

  it('never has what was refused', () => {
    const refusals: WatchedRefusal[] = [{ action: 'publish', target: 'no', because: 'because', rule: 'role wide' }];
    const { rules, tests, refused, text } = proposed(did({ publishes: [sent('yes')], refusals }));
    expect([...rules, ...tests].filter((line) => /\bno\b/.test(line))).toEqual([]);
    expect(refused).toEqual(refusals);
    expect(text).toContain('#   publish no (role wide)\n');
  });

  it('gives nothing on other terms than it was given on', () => {
    const rules = ['allow all a/# via web', 'allow all b/# from 10.1.0.0/16', 'allow all c/# qos<=1 no-retain'];
    const policy = parsePolicy(`roles:\n  wide: ${JSON.stringify(rules)}\n`, 'p.yaml');
    const web = { ...FREE, via: 'web' };
    const net = { ...FREE, from: '10.1.0.0/16', address: '::ffff:10.1.2.3' };
    const some = { ...FREE, qosMax: 1 as const, noRetain: true };
    const { rules: made, tests } = proposed(
      did({ publishes: [sent('a/x', 2, true, web), sent('b/x', 2, true, net)], filters: [asked('c/y', some)] }),
      policy,
    );
    expect(made).toEqual([
      'allow publish a/x via web',
      'allow publish b/x from 10.1.0.0/16',
      'allow subscribe c/y qos<=1 no-retain',
    ]);
    expect(tests).toContain('pump-1 may publish b/x qos=2 retain from ::ffff:10.1.2.3 as learned-pump-1');
  });

  it('has no wildcard that its roles do not cover already', () => {
    const publishes = MANY.map((level) => sent(`a/${level}`, level === 'x0' ? 2 : 0));
    const rulesUnder = (...rules: string[]) =>
      proposed(did({ publishes }), parsePolicy(`roles:\n  wide: ${JSON.stringify(rules)}\n`, 'p.yaml')).rules;
    expect(rulesUnder('allow publish a/+')).toEqual(['allow publish a/+']);
    expect(rulesUnder('allow all a/#', 'deny publish a/y')).toEqual(['allow publish a/+']);
    expect(rulesUnder(...MANY.map((level) => `allow publish a/${level}`))).toHaveLength(MANY.length);
    expect(rulesUnder('allow publish a/+ qos<=1', 'allow publish a/x0')).toHaveLength(MANY.length);
  });

  it('has nothing that its roles do not give whole, as after they were changed', () => {
    const under = (rules: string[], ...publishes: WatchRecord['publishes']) => {
      const policy = parsePolicy(`roles:\n  wide: ${JSON.stringify(rules)}\n`, 'p.yaml');
      const { rules: made, unsaid } = proposed(did({ publishes }), policy);
      return [made, unsaid.map(({ target, why }) => `${target}: ${why}`)];
    };
    const not = (topic: string) => `${topic}: no rule in force gives it whole`;
    expect(under(['allow publish a'], sent('a'), sent('b'))).toEqual([['allow publish a'], [not('b')]]);
    expect(under(['allow publish a via web'], sent('a'))).toEqual([[], [not('a')]]);
    expect(under(['allow publish a qos<=1', 'allow publish a no-retain'], sent('a'))).toEqual([[], [not('a')]]);
    expect(under(['allow publish $' + '{client}/a'], sent('pump-1/a'))).toEqual([
      ['allow publish $' + '{device}/a'],
      [],
    ]);
  });

  it('says what no rule can say', () => {
    const long = `a/${'p/'.repeat(500)}x`;
    const odd = 'a/$' + '{device}/b';
    const { rules, unsaid } = proposed(did({ publishes: [sent(odd), sent(long), sent('good')] }), WIDE, {
      ...PUMP,
      name: 'p',
    });
    expect(rules).toEqual(['allow publish good']);
    expect(unsaid).toEqual([
      { action: 'publish', target: odd, why: 'rules would take $' + '{ for a placeholder' },
      { action: 'publish', target: long, why: 'the line would have more than 2048 characters' },
    ]);
  });

  it('leaves a role alone that has its name', () => {
    const policy = parsePolicy('roles:\n  wide: []\n  learned-pump-1: []\n  learned-pump-1-2: []\n', 'p.yaml');
    expect(proposed(did({ publishes: [sent('a')] }), policy).role).toBe('learned-pump-1-3');
    const name = 'n'.repeat(63);
    const { role } = proposed(did({ publishes: [sent('a')] }), WIDE, { ...PUMP, name });
    expect(role).toHaveLength(63);
  });

  it('lets no topic out of its comment or its line', () => {
    const topic = 'a: [ "\u2028roles: {} \u202eb';
    const refusals: WatchedRefusal[] = [{ action: 'publish', target: topic, because: '', rule: 'role wide' }];
    const publishes = [sent(topic), sent("'a b' c"), sent('- a: [ "')];
    const { unsaid, parsed, text } = proposed(did({ publishes, refusals }));
    const filters = parsed.roles.get('learned-pump-1')?.rules.map((rule) => rule.filter);
    expect(filters).toEqual(["'a b' c", '- a: [ "']);
    expect(unsaid).toEqual([
      { action: 'publish', target: topic, why: 'it has characters that are not shown as they are' },
    ]);
    expect(text).toContain('#   publish a: [ "\\u{2028}roles: {} \\u{202e}b (role wide)\n');
    expect(text).toContain('#   publish a: [ "\\u{2028}roles: {} \\u{202e}b: it has');
  });

  it('is read as a policy when everything is at its limit', () => {
    const publishes = Array.from({ length: 1_000 }, (_, i) => sent(`t${i}/${'y'.repeat(58)}`));
    const { rules, tests, text } = proposed(did({ publishes }));
    expect([rules.length, tests.length]).toEqual([1_000, 1_000]);
    expect(text.length).toBeLessThan(1024 * 1024);
  });
});

describe('whatever was done', () => {
  const level = fc.oneof(
    { weight: 3, arbitrary: fc.constant('pump-1') },
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 11 }).map((i) => `l${i}`) },
    fc.constantFrom('', ' ', "'", "it's", 'ä', 'pump-2', '"', '\\', ': ', '- ', '|', 'null', '$x'),
  );
  const topic = fc
    .array(level, { minLength: 1, maxLength: 4 })
    .map((levels) => levels.join('/'))
    .filter((text) => text !== '' && !/[#+]/.test(text));
  const publish = fc.record({
    topic,
    qosMax: fc.constantFrom(0 as const, 1 as const, 2 as const),
    retained: fc.boolean(),
    terms: fc.constant(FREE),
  });
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, rest]) => [...levels.map((one) => (one.includes('#') ? 'l0' : one)), ...(rest ? ['#'] : [])])
    .map((levels) => levels.join('/'))
    .filter((text) => text !== '');
  const apart = <T>(all: readonly T[], key: (one: T) => string) => [
    ...new Map(all.map((one) => [key(one), one])).values(),
  ];
  const record = fc
    .record({ publishes: fc.array(publish, { maxLength: 60 }), filters: fc.array(filter, { maxLength: 25 }) })
    .map(({ publishes, filters }) => ({
      publishes: apart(publishes, (one) => one.topic),
      filters: [...new Set(filters)].map((one) => asked(one)),
    }));

  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const failures = (policy: Policy, registered: Parameters<typeof runTests>[1], lines: readonly string[]) => {
    const tests = lines.map((line) => parsePolicyTest(line, ''));
    return runTests(policyOf([...policy.roles.values()], { tests }), registered).failed.map(({ test }) => test.text);
  };

  it('the proposed rules allow all of it', () => {
    fc.assert(
      fc.property(record, (seen) => {
        const { parsed, registered, unsaid } = proposed(did(seen));
        expect(unsaid).toEqual([]);
        const lines = [
          ...seen.publishes.map(
            ({ topic: one, qosMax, retained }) =>
              `pump-1 may publish ${quoted(one)} qos=${qosMax}${retained ? ' retain' : ''} as learned-pump-1`,
          ),
          ...seen.filters.map(({ filter: one }) => `pump-1 may subscribe ${quoted(one)} as learned-pump-1`),
        ];
        expect(failures(parsed, registered, lines)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('they do not allow a neighbour’s name where its own stood, unless what it did covers that', () => {
    fc.assert(
      fc.property(record, (seen) => {
        const { parsed, registered } = proposed(did(seen));
        const theirs = (text: string) =>
          text
            .split('/')
            .map((one) => (one === 'pump-1' ? 'neighbour' : one))
            .join('/');
        const filters = seen.filters.map((one) => one.filter);
        const lines = [
          ...seen.publishes
            .filter((one) => theirs(one.topic) !== one.topic)
            .map((one) => `pump-1 may not publish ${quoted(theirs(one.topic))} as learned-pump-1`),
          ...filters
            .filter((one) => theirs(one) !== one && !filters.some((other) => covers(other, theirs(one))))
            .map((one) => `pump-1 may not subscribe ${quoted(theirs(one))} as learned-pump-1`),
        ];
        expect(failures(parsed, registered, lines)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

/** By the words of the standard, level by level. */
function covers(wide: string, narrow: string): boolean {
  const [a, b] = [wide.split('/'), narrow.split('/')];
  for (let i = 0; i < a.length; i++) {
    if (a[i] === '#') return true;
    if (b[i] === undefined || b[i] === '#' || (a[i] !== '+' && a[i] !== b[i])) return false;
  }
  return a.length === b.length;
}
