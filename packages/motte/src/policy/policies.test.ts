// What administrators do with policies, on a history and a registry in memory.

import { builtInPolicy, type Policy } from '@motte/broker/policy';
import type { StoredPolicy } from '@motte/broker/ports/policies';
import { describe, expect, it } from 'vitest';
import type { BrokerEvent } from '../../../broker/src/events.ts';
import { MemoryDirectory } from '../../../broker/src/testing/logins.ts';
import { createPolicies } from './policies.ts';

const GOOD = 'roles: { reader: [allow subscribe a/#] }\ntests: [x may subscribe a/b as reader]\n';
const FAILING = 'roles: { reader: [allow subscribe a/#] }\ntests: [x may subscribe b as reader, y may publish c]\n';
const UNTESTED = 'roles: { reader: [allow subscribe a/#] }\n';

const pump = {
  realm: 'ca:motte',
  name: 'pump-1',
  kind: 'device',
  roles: ['reader'],
  state: 'active',
  addedAtMs: 0,
} as const;

function world(stored: readonly StoredPolicy[] = []) {
  let policies = stored;
  const used: Policy[] = [];
  const events: BrokerEvent[] = [];
  const history = {
    get policies() {
      return policies;
    },
    append: async (policy: Omit<StoredPolicy, 'version'>) => {
      if (policy.why === 'disk full') throw new Error('no space left');
      const next = { ...policy, version: policies.length + 1 };
      policies = [...policies, next];
      return next;
    },
  };
  const live = createPolicies({
    history,
    directory: new MemoryDirectory(pump),
    listeners: () => [{ name: 'devices', role: undefined }],
    use: async (policy) => {
      used.push(policy);
      return { subscriptions: 2, connections: 1 };
    },
    told: (event) => events.push(event),
  });
  return { live, used, events };
}

const apply = (text: string, more: { why?: string; strict?: boolean } = {}) => ({
  text,
  file: 'p.yaml',
  by: 'ann',
  why: '',
  strict: false,
  ...more,
});

describe('policies', () => {
  it('the built-in one is in force until one was applied, as version 0', () => {
    const { live } = world();
    expect(live.version).toBe(0);
    expect([...live.policy.roles.keys()]).toEqual([...builtInPolicy().roles.keys()]);
    expect(live.list()).toMatchObject([{ version: 0, file: 'built-in' }]);
    expect(live.read().text).toContain('allow publish devices/${device}/up/#');
  });

  it('apply: stored with who and why, in force, told of, and answered with what ended', async () => {
    const { live, used, events } = world();
    const { policy, report, lost } = await live.apply(apply(GOOD, { why: 'less is more' }));
    expect(policy).toMatchObject({ version: 1, by: 'ann', why: 'less is more', file: 'p.yaml' });
    expect(report).toMatchObject({ passed: 1, failed: [], findings: [] });
    expect(report.changes.map(({ where }) => where)).toContain('role device (gone)');
    expect(lost).toEqual({ subscriptions: 2, connections: 1 });
    expect(used).toEqual([live.policy]);
    expect(events).toEqual([
      expect.objectContaining({ name: 'policy.applied', version: 1, by: 'ann', why: 'less is more', subscriptions: 2 }),
    ]);
    expect(live.list().map(({ version }) => version)).toEqual([1, 0]);
    expect(live.read().text).toBe(GOOD);
    expect(live.read(0).file).toBe('built-in');
  });

  it.each([
    ['a mistake', apply('roles: 1'), { code: 'MOT-0902', why: expect.stringContaining('p.yaml:1:8: roles') }],
    [
      'a failed test',
      apply(FAILING),
      { code: 'MOT-0903', why: expect.stringMatching(/^p\.yaml:2:9: x may subscribe b as reader: .*, and 1 more$/) },
    ],
    [
      'a finding, where none is taken',
      apply(UNTESTED, { strict: true }),
      { code: 'MOT-0904', why: '1, the first: p.yaml:1:19: no test looks at the role reader' },
    ],
    ['a disk that takes nothing', apply(GOOD, { why: 'disk full' }), { message: 'no space left' }],
  ])('%s changes nothing', async (_what, policy, refused) => {
    const { live, used, events } = world();
    await expect(live.apply(policy)).rejects.toMatchObject(refused);
    expect([live.version, used, events]).toEqual([0, [], []]);
    expect((await live.apply(apply(GOOD))).policy.version).toBe(1);
  });

  it('without --strict findings do not refuse it', async () => {
    const { report } = await world().live.apply(apply(UNTESTED));
    expect(report.findings).toMatchObject([{ id: 'untested' }]);
  });

  it('tests know the registry, and findings whom the policy forgets', () => {
    const { live } = world();
    expect(live.check({ text: `${UNTESTED}tests: [pump-1 may subscribe a/b]\n`, file: 'p' })).toMatchObject({
      passed: 1,
    });
    expect(live.check({ text: '', file: 'p' }).findings).toEqual([
      { id: 'unknown-role', place: '', why: 'pump-1 is registered with reader, which the policy lacks' },
    ]);
  });

  it('of two at once each is judged against the one before', async () => {
    const { live } = world();
    const [first, second] = await Promise.all([live.apply(apply(GOOD)), live.apply(apply(GOOD))]);
    expect(first.report.changes).not.toEqual([]);
    expect(second.report.changes).toEqual([]);
    expect(second.policy.version).toBe(2);
  });

  it('a version that is not there, and a stored policy that cannot be read, have their numbers', () => {
    expect(() => world().live.read(3)).toThrow(expect.objectContaining({ code: 'MOT-0906' }));
    const broken = { ...apply('roles: 1'), version: 7, appliedAtMs: 0 };
    expect(() => world([broken])).toThrow(
      expect.objectContaining({ code: 'MOT-0905', why: expect.stringContaining('version 7: p.yaml:1:8') }),
    );
  });
});
