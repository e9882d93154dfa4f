import type { TopicFilter, TopicName } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import type { ListenerFacts } from '../ports/connection-facts.ts';
import { policyOf, roleOf } from './policy.ts';
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

describe('replayPolicy', () => {
  it('names what is lost with the reason, what is gained, and what hangs on the message', () => {
    const from = policy('allow subscribe a/#', 'allow publish up', 'allow publish sized');
    const to = policy('allow subscribe b/#', 'deny publish up', 'allow publish sized qos<=0', 'allow publish new');
    const replay = replayPolicy(from, to, [session('p', ['a/b', '$share/g/a/#'], ['up', 'sized', 'new', 'other'])]);
    expect(replay).toMatchObject({ clients: 1, skipped: 0, decisions: 6, more: 0 });
    expect(replay.changes.map(({ action, target, from, to }) => [action, target, from, to])).toEqual([
      ['subscribe', 'a/b', 'allowed', 'denied'],
      ['subscribe', 'a/#', 'allowed', 'denied'],
      ['publish', 'up', 'allowed', 'denied'],
      ['publish', 'sized', 'allowed', 'some messages'],
      ['publish', 'new', 'denied', 'allowed'],
    ]);
    expect(replay.changes[2]?.because).toContain('denies publish up');
    expect(replay.changes[4]?.because).toBe('');
    expect(replay.changes[0]).toMatchObject({ identity: 'p', clientId: 'p/1' });
  });

  it('lists no more than a hundred changes and looks at no more than it has time for, and says so', () => {
    const topics = Array.from({ length: 12_000 }, (_, n) => `t/${n}`);
    const sessions = ['p', 'q', 'r'].map((name) => session(name, [], topics));
    const replay = replayPolicy(policy('allow publish t/#'), policy(), sessions);
    expect(replay).toMatchObject({ clients: 2, skipped: 1, decisions: 24_000, more: 23_900 });
    expect(replay.changes).toHaveLength(100);
  });
});
