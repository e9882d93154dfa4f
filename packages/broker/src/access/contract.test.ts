// Whole policies against a second evaluator, written from the words of the contract and nothing else: slow, without an index,
// a cache or a compiled form. Whatever the two disagree on, one of them reads the contract wrong.

import { parseTopicFilter, parseTopicName, type QoS } from '@motte/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Subject } from '../ports/access.ts';
import { identityKey } from '../ports/identity.ts';
import { PolicyAccess } from './access.ts';
import { policyOf, roleOf } from './policy.ts';

interface Written {
  readonly roles: Readonly<Record<string, { readonly listenerOnly: boolean; readonly rules: readonly string[] }>>;
  readonly groups: readonly { readonly roles: readonly string[]; readonly members: readonly string[] }[];
  readonly defaults: { readonly device: readonly string[]; readonly user: readonly string[] };
}

interface Asked {
  readonly action: 'publish' | 'subscribe' | 'receive';
  readonly target: string;
  readonly qos: QoS;
  readonly retain: boolean;
}

// "Rights = registry roles ∪ groups", the role of the listener, and a role that the policy lacks grants nothing.
function rulesFor(written: Written, { identity, facts }: Subject): string[][] {
  const names = [...identity.roles];
  for (const group of written.groups) if (group.members.includes(identityKey(identity))) names.push(...group.roles);
  if (facts.listener.role !== undefined) names.push(facts.listener.role);
  const kind = identity.kind === 'anonymous' ? undefined : identity.kind;
  const held = names.length > 0 || kind === undefined ? names : written.defaults[kind];
  return [...new Set(held)].flatMap((name) => {
    const role = Object.hasOwn(written.roles, name) ? written.roles[name] : undefined;
    if (role === undefined || (role.listenerOnly && facts.listener.role !== name)) return [];
    return role.rules.map((rule) => rule.split(' '));
  });
}

// "Placeholders fill one level each; a value with / + # never matches. A placeholder without a value never matches;
// ${client} only where the listener ties the client id to the identity."
function filledFilter(filter: string, { identity, clientId, facts }: Subject): string[] | undefined {
  const tied = facts.listener.clientIds === 'own' && facts.listener.authentication !== 'none';
  const values: Record<string, string | undefined> = {
    '${device}': identity.kind === 'device' ? identity.name : undefined,
    '${user}': identity.kind === 'user' ? identity.name : undefined,
    '${client}': tied ? clientId : undefined,
  };
  const levels: string[] = [];
  for (const [i, level] of filter.split('/').entries()) {
    if (!(level in values)) levels.push(level);
    else {
      const value = values[level];
      if (value === undefined || value === '' || /[/+#]/.test(value) || (i === 0 && value.startsWith('$')))
        return undefined;
      levels.push(value);
    }
  }
  return levels;
}

// "A first-level # or + never matches $…"
function matches(filter: readonly string[], topic: readonly string[]): boolean {
  if ((filter[0] === '#' || filter[0] === '+') && topic[0]?.startsWith('$')) return false;
  return matchesFrom(filter, topic);
}

function matchesFrom([level, ...filter]: readonly string[], topic: readonly string[]): boolean {
  if (level === '#') return true;
  if (level === undefined) return topic.length === 0;
  const [name, ...rest] = topic;
  if (name === undefined) return false;
  return (level === '+' || level === name) && matchesFrom(filter, rest);
}

// "A rule covers a filter": whatever topic the filter matches, the rule's matches too.
function covers(wide: readonly string[], narrow: readonly string[]): boolean {
  return UNIVERSE.every((topic) => !matches(narrow, topic) || matches(wide, topic));
}

function naive(written: Written, subject: Subject, { action, target, qos, retain }: Asked): boolean {
  const levels = target.split('/');
  let allowed = false;
  for (const [effect, spoken = '', template = '', ...conditions] of rulesFor(written, subject)) {
    // "allow subscribe implies receive", "deny subscribe is also deny receive", "all" is each of them.
    const speaks = spoken === action || spoken === 'all' || (action === 'receive' && spoken === 'subscribe');
    const filter = filledFilter(template, subject);
    if (!speaks || filter === undefined) continue;
    if (conditions.includes('from') && !subject.facts.address.startsWith('10.')) continue;
    if (conditions.includes('via') && subject.facts.listener.name !== 'inner') continue;
    const ofMessage = conditions.filter((one) => /^(qos<=|no-retain)/.test(one));
    if (action === 'subscribe') {
      if (!covers(filter, levels)) continue;
      // A subscription has no message: what only messages can meet refuses none, and is asked again for each of them.
      if (effect === 'deny' && ofMessage.length > 0) continue;
    } else {
      if (!matches(filter, levels)) continue;
      if (ofMessage.includes('no-retain') && retain) continue;
      if (ofMessage.includes('qos<=0') && qos > 0) continue;
      if (ofMessage.includes('qos<=1') && qos > 1) continue;
    }
    // "Order does not matter: a matching deny wins, else a matching allow, else no."
    if (effect === 'deny') return false;
    allowed = true;
  }
  return allowed;
}

function compiled(access: PolicyAccess, subject: Subject, { action, target, qos, retain }: Asked): boolean {
  const rights = access.rightsOf(subject);
  if (action === 'subscribe') return access.subscribe(rights, parseTopicFilter(target)).allow;
  const topic = parseTopicName(target);
  if (action === 'receive') {
    const verdict = access.receive(rights, topic);
    const answer = access.receiveMessage(rights, topic, qos, retain, NOTHING);
    if (verdict !== 'ask') expect(verdict === 'always').toBe(answer);
    return answer;
  }
  const first = access.publish(rights, topic, qos, retain, NOTHING).allow;
  expect(access.publish(rights, topic, qos, retain, NOTHING).allow).toBe(first);
  return first;
}

function policyFrom({ roles, groups, defaults }: Written) {
  return policyOf(
    Object.entries(roles).map(([name, { rules, listenerOnly }]) => roleOf(name, rules, { listenerOnly })),
    { groups: groups.map((group, i) => ({ ...group, name: `g${i}`, place: '' })), defaults },
  );
}

describe('a policy', () => {
  it('says what the contract says, for every action, before and after it is replaced', () => {
    fc.assert(
      fc.property(policies, policies, subjects, questions, (first, second, subject, asked) => {
        const access = new PolicyAccess(policyFrom(first));
        const early = access.rightsOf(subject);
        expect(compiled(access, subject, asked)).toBe(naive(first, subject, asked));
        if (asked.action === 'publish') {
          access.publish(early, parseTopicName(asked.target), asked.qos, asked.retain, NOTHING);
        }
        access.replacePolicy(policyFrom(second));
        expect(compiled(access, subject, asked)).toBe(naive(second, subject, asked));
        if (asked.action !== 'publish') return;
        const { allow } = access.publish(early, parseTopicName(asked.target), asked.qos, asked.retain, NOTHING);
        expect(allow).toBe(naive(second, subject, asked));
      }),
      { numRuns: 3000 },
    );
  });
});

const NOTHING = { payload: new Uint8Array(0) };
const LEVELS = ['a', 'b', '$x', '', 'z'];
const UNIVERSE = [1, 2, 3, 4].flatMap((depth) => combinations(depth)).filter((topic) => topic.join('/') !== '');

function combinations(depth: number): string[][] {
  return depth === 0 ? [[]] : combinations(depth - 1).flatMap((row) => LEVELS.map((level) => [...row, level]));
}

const filterOf = (levels: readonly string[]) =>
  fc
    .tuple(fc.array(fc.constantFrom(...levels), { maxLength: 3 }), fc.boolean())
    .map(([some, hash]) => (hash ? [...some.slice(0, 2), '#'] : some).join('/'))
    .filter((filter) => filter !== '' && !filter.startsWith(' '));

// Words are split at spaces here, so a filter that is empty at its end stands without quotes all the same.
const rules = fc
  .tuple(
    fc.constantFrom('allow', 'allow', 'allow', 'deny'),
    fc.constantFrom('publish', 'subscribe', 'receive', 'all'),
    filterOf(['a', 'b', '$x', '', '+', '+', '${device}', '${user}', '${client}']),
    fc.constantFrom('', '', '', ' qos<=1', ' no-retain', ' qos<=0 no-retain', ' from 10.0.0.0/8', ' via inner'),
  )
  .map(([effect, action, filter, conditions]) => `${effect} ${action} ${filter}${conditions}`);

const roleNames = fc.subarray(['r', 's', 't', 'gone', 'constructor'], { maxLength: 2 });
const identities = fc.record({
  realm: fc.constantFrom('ca:motte', 'password'),
  name: fc.constantFrom('a', 'a', 'b', '$x', '+', 'a/b', '#'),
});
const policies: fc.Arbitrary<Written> = fc.record({
  roles: fc
    .tuple(
      fc.array(rules, { maxLength: 5 }),
      fc.array(rules, { maxLength: 3 }),
      fc.array(rules, { maxLength: 2 }),
      fc.boolean(),
    )
    .map(([r, s, t, listenerOnly]) => ({
      r: { rules: r, listenerOnly: false },
      s: { rules: s, listenerOnly: false },
      t: { rules: t, listenerOnly },
    })),
  groups: fc.array(fc.record({ roles: roleNames, members: fc.array(identities.map(identityKey), { maxLength: 2 }) }), {
    maxLength: 2,
  }),
  defaults: fc.record({ device: roleNames, user: roleNames }),
});

const subjects: fc.Arbitrary<Subject> = fc
  .record({
    who: identities,
    roles: roleNames,
    kind: fc.constantFrom('device', 'user', 'anonymous'),
    clientId: fc.constantFrom('a', 'b', 'a/b', '+', ''),
    listener: fc.constantFrom('inner', 'outer'),
    role: fc.constantFrom(undefined, undefined, 't', 'r'),
    clientIds: fc.constantFrom('own', 'any'),
    authentication: fc.constantFrom('certificate', 'none'),
    address: fc.constantFrom('10.1.2.3', '192.0.2.1', ''),
  })
  .map(({ who, roles, kind, clientId, listener, role, clientIds, authentication, address }) => ({
    identity: { ...who, kind, roles },
    clientId,
    facts: { listener: { name: listener, scheme: 'mqtts', authentication, role, clientIds, versions: [5] }, address },
  }));

const messages = fc.record({ qos: fc.constantFrom<QoS>(0, 1, 2), retain: fc.boolean() });
const questions: fc.Arbitrary<Asked> = fc.oneof(
  fc.record({
    action: fc.constant('subscribe' as const),
    target: filterOf(['a', 'b', '$x', '', '+']),
    qos: fc.constant<QoS>(0),
    retain: fc.constant(false),
  }),
  fc
    .tuple(fc.constantFrom('publish' as const, 'receive' as const), fc.constantFrom(...UNIVERSE), messages)
    .map(([action, topic, message]) => ({ action, target: topic.join('/'), ...message })),
);
