import { describe, expect, it } from 'vitest';
import { diffPolicies } from './diff.ts';
import { policyOf, roleOf, roleOfRules } from './policy.ts';
import { parsePolicyTest } from './policy-test.ts';
import type { RoleQuotas } from './quotas.ts';

const group = (name: string, roles: string[], members: string[]) => ({ name, roles, members, place: '' });
const test = (text: string) => parsePolicyTest(text, '');

describe('diffPolicies', () => {
  it('says what goes and what comes: rules, members, defaults, tests, whole roles', () => {
    const from = policyOf([roleOf('a', ['allow publish x', 'allow publish y']), roleOf('gone', ['allow publish z'])], {
      groups: [group('g', ['a'], ['ca:motte\np', 'password\nq'])],
      tests: [test('p may publish x')],
    });
    const to = policyOf([roleOf('a', ['allow publish y', 'deny publish x']), roleOf('new', [])], {
      groups: [group('g', ['a', 'new'], ['ca:motte\np'])],
      defaults: { device: ['a'], user: [] },
      tests: [test('p may publish y')],
    });
    expect(diffPolicies(from, to)).toEqual([
      { where: 'role a', removed: ['allow publish x'], added: ['deny publish x'] },
      { where: 'role gone (gone)', removed: ['allow publish z'], added: [] },
      { where: 'role new (new)', removed: [], added: [] },
      { where: 'group g', removed: ['member q@password'], added: ['role new'] },
      { where: 'defaults device', removed: [], added: ['a'] },
      { where: 'tests', removed: ['p may publish x'], added: ['p may publish y'] },
    ]);
  });

  it('names each quota that changes', () => {
    const bounded = (quotas: RoleQuotas) => policyOf([roleOfRules('a', [], false, quotas)]);
    expect(
      diffPolicies(bounded({ connections: 2, payloadBytes: 9 }), bounded({ connections: 3, payloadBytes: 9 })),
    ).toEqual([{ where: 'role a', removed: ['connections: 2'], added: ['connections: 3'] }]);
    expect(diffPolicies(bounded({}), bounded({ bytesPerSecond: 9, beyondRate: 'refuse' }))).toEqual([
      { where: 'role a', removed: [], added: ['bytesPerSecond: 9', 'beyondRate: refuse'] },
    ]);
  });

  it('order is no difference, and who may have a role is one', () => {
    const rules = ['allow publish x', 'deny publish y'];
    expect(diffPolicies(policyOf([roleOf('a', rules)]), policyOf([roleOf('a', [...rules].reverse())]))).toEqual([]);
    const only = policyOf([roleOf('a', rules, { listenerOnly: true })]);
    expect(diffPolicies(policyOf([roleOf('a', rules)]), only)).toEqual([
      { where: 'role a', removed: [], added: ['listenerOnly'] },
    ]);
  });
});
