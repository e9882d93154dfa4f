import { describe, expect, it } from 'vitest';
import type { Subject } from '../ports/access.ts';
import type { ListenerFacts } from '../ports/connection-facts.ts';
import type { Identity } from '../ports/identity.ts';
import { compileRules, readRule } from './compile.ts';
import { type Policy, policyOf, roleOf } from './policy.ts';

const LISTENER: ListenerFacts = {
  name: 'devices',
  scheme: 'mqtts',
  authentication: 'certificate',
  role: undefined,
  clientIds: 'own',
  versions: [3, 4, 5],
};

function subject(
  identity: Partial<Identity> = {},
  listener: Partial<ListenerFacts> = {},
  clientId = 'pump-1',
): Subject {
  return {
    identity: { realm: 'ca:motte', name: 'pump-1', kind: 'device', roles: ['r'], ...identity },
    clientId,
    facts: { listener: { ...LISTENER, ...listener }, address: '10.1.2.3' },
  };
}

function readAll(policy: Policy, who: Subject): ReturnType<typeof readRule>[] {
  const compiled = compileRules(policy, who);
  return compiled.roles.flatMap(({ rules }) => rules.map((rule) => readRule(compiled, rule)));
}

function filtersFor(rule: string, who: Subject): string[] {
  return readAll(policyOf([roleOf('r', [rule])]), who).flatMap((one) => (one.because === undefined ? one.filter : []));
}

describe('compileRules', () => {
  it('fills each placeholder for one level, by kind of identity', () => {
    expect(filtersFor('allow publish a/${device}/#', subject())).toEqual(['a/pump-1/#']);
    expect(filtersFor('allow publish ${device}/${device}', subject())).toEqual(['pump-1/pump-1']);
    expect(filtersFor('allow publish a/${user}/#', subject())).toEqual([]);
    expect(filtersFor('allow publish a/${user}', subject({ kind: 'user', name: 'ann' }))).toEqual(['a/ann']);
    expect(filtersFor('allow publish a/${device}', subject({ kind: 'anonymous' }))).toEqual([]);
  });

  it.each(['a/b', '+', '#', 'x+', '', 'a\0b', '../#'])(
    'a name like %j never becomes more than one plain level',
    (name) => {
      expect(filtersFor('allow publish x/${device}/#', subject({ name }))).toEqual([]);
      expect(filtersFor('allow publish x/${client}/#', subject({}, {}, name))).toEqual([]);
    },
  );

  it('a name cannot open the $ topics, nor bring text of its own into the rules', () => {
    expect(filtersFor('allow publish ${device}/#', subject({ name: '$SYS' }))).toEqual([]);
    expect(filtersFor('allow publish x/${device}', subject({ name: '${client}' }))).toEqual(['x/${client}']);
    expect(filtersFor('allow publish x/${device}', subject({ name: '$&' }))).toEqual(['x/$&']);
    expect(filtersFor('allow publish x/${device}', subject({ name: '__proto__' }))).toEqual(['x/__proto__']);
  });

  it('${client} has a value only where the listener ties the client id to the identity', () => {
    const rule = 'allow publish x/${client}';
    expect(filtersFor(rule, subject())).toEqual(['x/pump-1']);
    expect(filtersFor(rule, subject({}, { clientIds: 'any' }))).toEqual([]);
    expect(filtersFor(rule, subject({ kind: 'anonymous' }, { authentication: 'none' }))).toEqual([]);
    expect(filtersFor(rule, subject({}, {}, 'pump-1/second'))).toEqual([]);
  });

  it('settles from and via by the connection', () => {
    expect(filtersFor('allow publish x from 10.1.0.0/16 via devices', subject())).toEqual(['x']);
    expect(filtersFor('allow publish x from 10.2.0.0/16', subject())).toEqual([]);
    expect(filtersFor('allow publish x via lab', subject())).toEqual([]);
    const policy = policyOf([roleOf('r', ['allow publish x from 10.2.0.0/16', 'deny publish y via lab'])]);
    expect(readAll(policy, subject()).map((one) => one.because)).toEqual(['only from 10.2.0.0/16', 'only via lab']);
  });

  it('takes the role of the listener, each role once, and grants nothing for a role it does not know', () => {
    const policy = policyOf([roleOf('r', ['allow publish x']), roleOf('q', ['allow publish y'])]);
    const compiled = compileRules(policy, subject({ roles: ['r', 'r', 'constructor', 'gone'] }, { role: 'q' }));
    expect(compiled.roles.map(({ name }) => name)).toEqual(['r', 'q']);
    expect(compiled.roles.flatMap(({ index }) => index.rules.map(({ label }) => label))).toEqual([
      'role r, rule 1',
      'role q, rule 1',
    ]);
    expect(compiled.idleRoles).toEqual(['the policy has no role constructor', 'the policy has no role gone']);
  });

  it('a role for listeners only does not come by registration', () => {
    const policy = policyOf([roleOf('r', ['allow all #'], { listenerOnly: true })]);
    expect(compileRules(policy, subject()).roles).toEqual([]);
    expect(compileRules(policy, subject()).idleRoles).toHaveLength(1);
    expect(compileRules(policy, subject({ roles: [] }, { role: 'r' })).roles).toHaveLength(1);
  });
});
