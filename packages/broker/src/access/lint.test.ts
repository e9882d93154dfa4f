import { describe, expect, it } from 'vitest';
import type { RegisteredIdentity } from '../ports/directory.ts';
import { LINTS, type LintId, type LintWorld, lintPolicy } from './lint.ts';
import { policyOf, roleOf, roleOfRules } from './policy.ts';
import { parseRule } from './rule.ts';

const LISTENERS = [{ name: 'devices', role: undefined }];
const SILENT: LintWorld = { identities: undefined, listeners: undefined, tested: new Set(['r']) };

function lint(rules: readonly string[], world: Partial<LintWorld> = {}, listenerOnly = false): string[] {
  const policy = policyOf([roleOf('r', rules, { listenerOnly })]);
  return lintPolicy(policy, { ...SILENT, ...world }).map(({ id, why }) => `${id} ${why}`);
}

describe('lintPolicy', () => {
  const CASES: readonly (readonly [LintId, readonly string[]])[] = [
    ['never-matches', ['allow publish ${device}/${user}/x']],
    ['never-matches', [`allow publish ${'a/'.repeat(128)}b`]],
    ['shadowed', ['allow publish a/b', 'deny publish a/#']],
    ['shadowed', ['deny all a/#', 'allow all a/b/+']],
    ['shadowed', ['allow receive a/${device}', 'deny subscribe a/+']],
    ['shadowed', ['allow publish a/${device}/#', 'deny publish a/${device}/#']],
    ['shadowed', ['allow publish a qos<=1', 'deny publish a']],
    ['shadowed', ['allow publish ${device}', "deny all '#'"]],
    ['repeated', ['allow publish a', "allow  publish 'a'"]],
    ['wide', ["allow subscribe '#'"]],
    ['wide', ['allow publish +/#']],
    ['wide', ['allow publish +']],
    ['look-alike', ['allow publish plаnt/x']],
    ['look-alike', ['allow publish a/ΑB']],
    ['unknown-listener', ['allow publish a via lab']],
  ];

  it.each(CASES)('%s: %j', (id, rules) => {
    const found = lint(rules, { listeners: LISTENERS });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${id} role r: `));
  });

  it.each([
    [['allow publish a/b', 'deny publish a/b/c']],
    [['allow publish a/b', 'deny subscribe a/#']],
    [['allow all a/b', 'deny publish a/#']],
    [['allow subscribe a/b', 'deny receive a/#']],
    [['allow publish a', 'deny publish a qos<=1']],
    [['allow publish a', 'deny publish a from 10.0.0.0/8']],
    [['allow publish a/${device}', 'deny publish a/pump-1']],
    [['allow publish a/pump-1', 'deny publish a/${device}']],
    [['allow publish a', 'allow publish a qos<=1', 'allow subscribe a']],
    [["deny publish '#'"]],
    [['allow publish +/x', 'allow publish x/#']],
    [['allow publish насос/x', 'allow publish αντλία', 'allow publish pompe-é/温度']],
    [['allow publish a via devices']],
    [[`allow publish ${'a/'.repeat(127)}b`]],
  ])('finds nothing in %j', (rules) => {
    expect(lint(rules, { listeners: LISTENERS })).toEqual([]);
  });

  it('a role for a listener alone may be wide, and needs no test', () => {
    expect(lint(["allow all '#'"], { tested: new Set() }, true)).toEqual([]);
    expect(lint(['allow all a'], { tested: new Set() })).toEqual(['untested no test looks at the role r']);
  });

  it('names registered roles that the policy lacks, and groups that do nothing', () => {
    const pump: RegisteredIdentity = {
      realm: 'ca:motte',
      name: 'pump-1',
      kind: 'device',
      roles: ['r', 'device'],
      state: 'active',
      addedAtMs: 0,
    };
    const groups = [
      { name: 'empty', roles: ['r'], members: [], place: 'p:1:1' },
      { name: 'idle', roles: [], members: ['ca:motte\nx'], place: 'p:2:1' },
    ];
    const listeners = [
      { name: 'lab', role: 'lab' },
      { name: 'line', role: 'r' },
    ];
    const world = { ...SILENT, identities: [pump], listeners };
    const findings = lintPolicy(policyOf([roleOf('r', [])], { groups }), world);
    expect(findings).toEqual([
      { id: 'idle-group', place: 'p:1:1', why: 'the group empty has no members' },
      { id: 'idle-group', place: 'p:2:1', why: 'the group idle has no roles' },
      { id: 'unknown-role', place: '', why: 'the listener lab gives lab, which the policy lacks' },
      { id: 'unknown-role', place: '', why: 'pump-1 is registered with device, which the policy lacks' },
    ]);
  });

  it('10,000 rules that all shadow one another are judged in bounded time, and 200 findings are enough', () => {
    const rules = Array.from({ length: 5_000 }, (_, i) => [`allow publish a/b/${i}`, `deny publish a/+/${i}`]).flat();
    expect(lint(rules)).toHaveLength(200);
  });

  it('rules of one filter are not compared in pairs', () => {
    let looks = 0;
    const rules = Array.from({ length: 1_000 }, (_, i) => {
      const rule = parseRule(`${i % 2 === 0 ? 'allow' : 'deny'} publish a from 10.0.${i >> 8}.${i & 255}`);
      const counted = { get: () => ((looks += 1), rule.effect), enumerable: true };
      return Object.defineProperty({ ...rule }, 'effect', counted);
    });
    const role = roleOfRules('r', rules, false);
    looks = 0;
    expect(lintPolicy(policyOf([role]), SILENT)).toEqual([]);
    expect(looks).toBeLessThan(10 * rules.length);
  });

  it('every finding that there is has a test', () => {
    const shown = new Set<string>([...CASES.map(([id]) => id), 'untested', 'idle-group', 'unknown-role']);
    expect(Object.keys(LINTS).filter((id) => !shown.has(id))).toEqual([]);
  });
});
