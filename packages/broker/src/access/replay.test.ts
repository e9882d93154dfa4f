import type { TopicFilter, TopicName } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import type { ListenerFacts } from '../ports/connection-facts.ts';
import { type Policy, policyOf, roleOf } from './policy.ts';
import { type Replayed, replayPolicy } from './replay.ts';

const listener = {
  name: 'devices',
  scheme: 'mqtts',
  authentication: 'certificate',
  role: undefined,
  clientIds: 'own',
  versions: [5],
} as const satisfies ListenerFacts;

function session(name: string, filters: string[], topics: string[]): Replayed {
  return {
    subject: {
      identity: { realm: 'ca:motte', name, kind: 'device', roles: ['r'] },
      clientId: `${name}/1`,
      facts: { listener, address: '10.0.0.1' },
    },
    filters: filters as TopicFilter[],
    topics: topics as TopicName[],
  };
}

const policy = (...rules: string[]) => policyOf([roleOf('r', rules)]);

/** With time for so many questions. */
function replay(from: Policy, to: Policy, sessions: Replayed[], times = Number.POSITIVE_INFINITY) {
  let left = times;
  return replayPolicy({ from, to, sessions, hasTime: () => --left >= 0, pause: () => undefined });
}

describe('replayPolicy', () => {
  it('names what is lost with the reason, what is gained, and what hangs on the message', async () => {
    const from = policy('allow subscribe a/#', 'allow publish up', 'allow publish sized');
    const to = policy('allow subscribe b/#', 'deny publish up', 'allow publish sized qos<=0', 'allow publish new');
    const result = await replay(from, to, [session('p', ['a/b', '$share/g/a/#'], ['up', 'sized', 'new', 'other'])]);
    expect(result).toMatchObject({ clients: 1, skipped: 0, decisions: 6, more: 0 });
    expect(result.changes.map(({ action, target, from, to }) => [action, target, from, to])).toEqual([
      ['subscribe', 'a/b', 'allowed', 'denied'],
      ['subscribe', 'a/#', 'allowed', 'denied'],
      ['publish', 'up', 'allowed', 'denied'],
      ['publish', 'sized', 'allowed', 'some messages'],
      ['publish', 'new', 'denied', 'allowed'],
    ]);
    expect(result.changes[2]?.because).toContain('denies publish up');
    expect(result.changes[4]?.because).toBe('');
    expect(result.changes[0]).toMatchObject({ identity: 'p', clientId: 'p/1' });
  });

  it('lists no more than a hundred changes and looks at no more than it has time for, and says so', async () => {
    const topics = Array.from({ length: 12_000 }, (_, n) => `t/${n}`);
    const sessions = ['p', 'q', 'r'].map((name) => session(name, [], topics));
    const result = await replay(policy('allow publish t/#'), policy(), sessions);
    expect(result).toMatchObject({ clients: 2, skipped: 1, decisions: 24_000, more: 23_900 });
    expect(result.changes).toHaveLength(100);
  });

  it('stops in the midst of a session when its time is over, and counts that one among those it did not look at', async () => {
    const sessions = ['p', 'q', 'r'].map((name) => session(name, [], ['t/1', 't/2', 't/3']));
    // One question before each session, one before each decision.
    const result = await replay(policy('allow publish t/#'), policy(), sessions, 4 + 2);
    expect(result).toMatchObject({ clients: 1, skipped: 2, decisions: 4, more: 0 });
    expect(result.changes.map(({ clientId, target }) => `${clientId} ${target}`).at(-1)).toBe('q/1 t/1');
  });

  it('has an end for sessions that ask for nothing, too', async () => {
    const sessions = Array.from({ length: 50 }, (_, n) => session(`d${n}`, [], []));
    expect(await replay(policy(), policy(), sessions, 10)).toMatchObject({ clients: 10, skipped: 40, decisions: 0 });
  });

  it('lets others have their turn before each decision, and meets what they did meanwhile', async () => {
    const sessions = [session('p', [], ['t/1', 't/2']), session('q', [], ['t/3'])];
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses += 1;
      if (pauses === 2) sessions.push(session('r', [], []));
    };
    const parts = { from: policy('allow publish t/#'), to: policy(), sessions, hasTime: () => true };
    expect(await replayPolicy({ ...parts, pause })).toMatchObject({ clients: 3, skipped: 0, decisions: 3 });
    expect(pauses).toBe(3 + 3);
  });
});
