// What administrators do with policies, on a history and a registry in memory.

import { builtInPolicy, type Policy } from '@motte/broker/policy';
import type { StoredPolicy } from '@motte/broker/ports/policies';
import { describe, expect, it, vi } from 'vitest';
import type { BrokerEvent } from '../../../broker/src/events.ts';
import { MemoryDirectory } from '../../../broker/src/testing/logins.ts';
import { type Judge, judgeHere } from './judge.ts';
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

function world(stored: readonly StoredPolicy[] = [], judge?: Judge) {
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
    ...(judge === undefined ? {} : { judge }),
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

  it('tests know the registry, and findings whom the policy forgets', async () => {
    const { live } = world();
    expect(await live.check({ text: `${UNTESTED}tests: [pump-1 may subscribe a/b]\n`, file: 'p' })).toMatchObject({
      passed: 1,
    });
    expect((await live.check({ text: '', file: 'p' })).findings).toEqual([
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

describe('policies that take long to judge', () => {
  /** Answers when it is told to. */
  function slow() {
    const under: { text: string; go: () => void }[] = [];
    const judge: Judge = (source, facts, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        under.push({ text: source.text, go: () => resolve(judgeHere(source, facts, signal)) });
      });
    return { ...world([], judge), under };
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('are judged one at a time, each against the one that is in force by then', async () => {
    const { live, under } = slow();
    const [first, checked, second] = [live.apply(apply(GOOD)), live.check(apply(GOOD)), live.apply(apply(UNTESTED))];
    await turn();
    expect(under.map(({ text }) => text)).toEqual([GOOD]);
    under[0]?.go();
    expect((await first).report.changes).not.toEqual([]);
    await turn();
    expect(under).toHaveLength(2);
    under[1]?.go();
    expect((await checked).changes).toEqual([]);
    await turn();
    under[2]?.go();
    expect((await second).report.changes).toMatchObject([{ where: 'tests' }]);
    expect(live.read().text).toBe(UNTESTED);
  });

  it('are given up after 25 s, waiting included; nothing changes, and the next is judged', async () => {
    vi.useFakeTimers();
    try {
      const { live, under, used, events } = slow();
      const late = [live.apply(apply(GOOD)), live.apply(apply(GOOD))];
      const refused = Promise.all(
        late.map((one) => expect(one).rejects.toMatchObject({ code: 'MOT-0908', why: 'it took longer than 25 s' })),
      );
      await vi.advanceTimersByTimeAsync(25_000);
      await refused;
      // The second had its turn when the first was given up, and no time left.
      expect([live.version, under.length, used, events]).toEqual([0, 2, [], []]);
      const next = live.apply(apply(GOOD));
      await vi.advanceTimersByTimeAsync(1);
      under[2]?.go();
      expect((await next).policy.version).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('are not given up once they are judged', async () => {
    const { live, under, used } = slow();
    const applied = live.apply(apply(GOOD));
    await turn();
    under[0]?.go();
    await vi.waitUntil(() => used.length === 1);
    live.close();
    expect((await applied).policy.version).toBe(1);
  });

  it('are refused where eight are under way, and by a broker that ends', async () => {
    const { live, under, used } = slow();
    const eight = Array.from({ length: 8 }, () => live.check(apply(GOOD)));
    await expect(live.apply(apply(GOOD))).rejects.toMatchObject({
      code: 'MOT-0908',
      why: expect.stringMatching(/^8 others/),
    });
    await turn();
    const told = Promise.all(
      eight.map((one) => expect(one).rejects.toMatchObject({ code: 'MOT-0908', why: 'the broker is ending' })),
    );
    live.close();
    await told;
    await expect(live.apply(apply(GOOD))).rejects.toMatchObject({ code: 'MOT-0908' });
    expect([under.length, live.version, used]).toEqual([1, 0, []]);
  });
});
