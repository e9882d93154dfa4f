import { parseTopicFilter, parseTopicName, type QoS } from '@motte/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReceiveVerdict } from '../ports/access.ts';
import type { StoredSubscription } from '../ports/store.ts';
import { type Route, Router, type RouterOptions } from './router.ts';

interface Peer {
  readonly key: string;
  online: boolean;
  inFlight: number;
}

function peer(key: string): Peer {
  return { key, online: true, inFlight: 0 };
}

type Options = Partial<Omit<StoredSubscription, 'filter'>>;

function subscription(filter: string, options: Options = {}): StoredSubscription {
  return {
    filter: parseTopicFilter(filter),
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: 0,
    ...options,
  };
}

function routerWith(options: Partial<RouterOptions<Peer>> = {}): Router<Peer> {
  return new Router<Peer>({
    routesMax: 100,
    levelsMax: 128,
    subscriptionsMax: 1000,
    receive: () => 'always',
    policyGeneration: () => 0,
    ...options,
  });
}

function keys(route: Route<Peer>): string[] {
  return route.targets.map((target) => target.subscriber.key).sort();
}

const A = peer('a');
const B = peer('b');
const topic = parseTopicName;

describe('Router: who gets a message', () => {
  it('[MQTT-3.3.4-2] [MQTT-3.3.5-1 v3] overlapping subscriptions give one copy with the highest QoS', () => {
    const router = routerWith();
    for (const [filter, qos] of [
      ['x/+', 0],
      ['x/#', 2],
      ['x/y', 1],
    ] as [string, QoS][]) {
      router.subscribe(A, subscription(filter, { qos }));
    }
    router.subscribe(B, subscription('x/y', { qos: 1 }));
    const { targets } = router.route(topic('x/y'));
    expect(targets).toHaveLength(2);
    expect(targets.find((target) => target.subscriber === A)?.qos).toBe(2);
    expect(targets.find((target) => target.subscriber === B)?.qos).toBe(1);
  });

  it('[MQTT-3.3.4-3] [MQTT-3.3.4-4] one copy carries every identifier of the matching subscriptions once', () => {
    const router = routerWith();
    router.subscribe(A, subscription('x/+', { subscriptionIdentifier: 7 }));
    router.subscribe(A, subscription('x/#', { subscriptionIdentifier: 9, retainAsPublished: true }));
    router.subscribe(A, subscription('#', { subscriptionIdentifier: 7 }));
    router.subscribe(A, subscription('x/y'));
    const [target] = router.route(topic('x/y')).targets;
    expect([...(target?.subscriptionIds ?? [])].sort()).toEqual([7, 9]);
    expect(target?.retainAsPublished).toBe(true);
    expect(router.route(topic('z')).targets[0]?.subscriptionIds).toEqual([7]);
  });

  it('[MQTT-3.8.3-3] No Local takes only its own subscription away from what a client gets of its own messages', () => {
    const router = routerWith();
    router.subscribe(A, subscription('x/#', { qos: 2, noLocal: true, subscriptionIdentifier: 1 }));
    const [alone] = router.route(topic('x/y')).targets;
    expect(alone?.noLocal).toBe(true);
    expect(alone?.own).toBeUndefined();
    router.subscribe(A, subscription('x/y', { qos: 1, subscriptionIdentifier: 2 }));
    const [both] = router.route(topic('x/y')).targets;
    expect([both?.qos, both?.subscriptionIds.length]).toEqual([2, 2]);
    expect([both?.own?.qos, both?.own?.subscriptionIds, both?.own?.noLocal]).toEqual([1, [2], false]);
    router.unsubscribe(A, parseTopicFilter('x/#'));
    const [rest] = router.route(topic('x/y')).targets;
    expect(rest?.own).toBe(rest);
  });

  it('[MQTT-3.8.4-3] a subscription at the same filter replaces the one before', () => {
    const router = routerWith();
    expect(router.subscribe(A, subscription('x', { qos: 2 }))).toBe('new');
    expect(router.route(topic('x')).targets[0]?.qos).toBe(2);
    expect(router.subscribe(A, subscription('x', { qos: 1 }))).toBe('replaced');
    expect(router.route(topic('x')).targets.map((target) => target.qos)).toEqual([1]);
    expect(router.size).toBe(1);
  });

  it('[MQTT-3.10.4-1] UNSUBSCRIBE compares filters character by character', () => {
    const router = routerWith();
    router.subscribe(A, subscription('x/+'));
    expect(router.unsubscribe(A, parseTopicFilter('x/#'))).toBe(false);
    expect(router.unsubscribe(B, parseTopicFilter('x/+'))).toBe(false);
    expect(router.unsubscribe(A, parseTopicFilter('x/+'))).toBe(true);
    expect(router.route(topic('x/y')).targets).toEqual([]);
  });

  it('leaves out who may not receive and marks who must be asked message by message', () => {
    const verdicts: Record<string, ReceiveVerdict> = { a: 'never', b: 'ask', c: 'always' };
    const router = routerWith({ receive: (subscriber) => verdicts[subscriber.key] ?? 'never' });
    for (const key of ['a', 'b', 'c']) {
      router.subscribe(peer(key), subscription('x/#'));
      router.subscribe(peer(`${key}`), subscription('$share/g/x/#'));
    }
    const route = router.route(topic('x/y'));
    expect(route.targets.map((target) => [target.subscriber.key, target.verdict])).toEqual([
      ['b', 'ask'],
      ['c', 'always'],
    ]);
    expect(route.groups[0]?.targets.map((target) => target.subscriber.key)).toEqual(['b', 'c']);
  });

  it('[MQTT-4.7.2-1] # does not get what is published to $SYS', () => {
    const router = routerWith();
    router.subscribe(A, subscription('#'));
    router.subscribe(A, subscription('$share/g/+/x'));
    expect(router.route(topic('$SYS/x'))).toMatchObject({ targets: [], groups: [] });
  });

  it('takes a client out everywhere when it is dropped', () => {
    const router = routerWith();
    for (const filter of ['x/#', 'x/y', '#', '$share/g/x/y', '$share/h/#']) {
      router.subscribe(A, subscription(filter));
      router.subscribe(B, subscription(filter));
    }
    router.route(topic('x/y'));
    router.drop(A);
    const route = router.route(topic('x/y'));
    expect(keys(route)).toEqual(['b']);
    expect(route.groups.map((group) => group.targets.map((target) => target.subscriber))).toEqual([[B], [B]]);
    router.drop(B);
    router.drop(B);
    expect(router.size).toBe(0);
    expect(router.route(topic('x/y'))).toMatchObject({ targets: [], groups: [] });
  });
});

describe('Router: what is remembered', () => {
  it('gives the same route until a subscription below its first level changes', () => {
    const router = routerWith();
    router.subscribe(A, subscription('x/#'));
    const route = router.route(topic('x/y'));
    expect(router.route(topic('x/y'))).toBe(route);
    router.subscribe(B, subscription('other/level/#'));
    expect(router.route(topic('x/y'))).toBe(route);
    router.subscribe(A, subscription('x/#'));
    expect(router.route(topic('x/y'))).toBe(route);
    router.subscribe(B, subscription('x/z'));
    const next = router.route(topic('x/y'));
    expect(next).not.toBe(route);
    router.subscribe(B, subscription('+/y'));
    expect(keys(router.route(topic('x/y')))).toEqual(['a', 'b']);
    expect(keys(next)).toEqual(['a']);
  });

  it('asks access again when the policy moved or the rights of one client were made anew', () => {
    let generation = 1;
    let verdict: ReceiveVerdict = 'always';
    const router = routerWith({ policyGeneration: () => generation, receive: () => verdict });
    router.subscribe(A, subscription('x/#'));
    expect(router.route(topic('x/y')).targets).toHaveLength(1);
    verdict = 'never';
    expect(router.route(topic('x/y')).targets).toHaveLength(1);
    generation = 2;
    expect(router.route(topic('x/y')).targets).toHaveLength(0);
    verdict = 'ask';
    router.refresh(A);
    expect(router.route(topic('x/y')).targets[0]?.verdict).toBe('ask');
  });

  it('100,000 invented topics leave no more routes than the limit, and a topic in use stays', () => {
    const router = routerWith({ routesMax: 1000 });
    router.subscribe(A, subscription('plant/#'));
    const used = router.route(topic('plant/in/use'));
    for (let i = 0; i < 100_000; i++) {
      router.route(topic(`plant/${i}`));
      router.route(topic(`${i}/${'x'.repeat(i % 50)}`));
      if (i % 100 === 0) expect(router.route(topic('plant/in/use'))).toBe(used);
    }
    expect(router.routesRemembered).toBeLessThanOrEqual(1000);
  });

  it('long topics and routes with many receivers count for more', () => {
    const router = routerWith({ routesMax: 1000, subscriptionsMax: 100_000 });
    for (let i = 0; i < 300; i++) {
      router.subscribe(peer(`p${i}`), subscription('#'));
      router.subscribe(peer(`q${i}`), subscription('a/#'));
    }
    for (let i = 0; i < 600; i++) router.route(topic(`a/${i}`));
    expect(router.routesRemembered).toBeLessThan(500);
    for (let i = 0; i < 300; i++) router.route(topic(`b/${i}/${'x'.repeat(60_000)}`));
    expect(router.routesRemembered).toBeLessThan(100);
  });

  it('1,000 receivers of 1,000 filters under one chosen first level cost no more than their number', () => {
    const router = routerWith({ subscriptionsMax: 10_000 });
    for (let i = 0; i < 1000; i++) router.subscribe(peer(`p${i}`), subscription(`__proto__/${i}`));
    expect(keys(router.route(topic('__proto__/7')))).toEqual(['p7']);
    expect(router.route(topic('constructor')).targets).toEqual([]);
  });

  it('refuses what is too deep or too many, and says so before', () => {
    const router = routerWith({ subscriptionsMax: 1, levelsMax: 2 });
    expect(router.isTooDeep(parseTopicFilter('$share/g/a/b'))).toBe(false);
    expect(router.isTooDeep(parseTopicFilter('a/b/c'))).toBe(true);
    expect(router.subscribe(A, subscription('a/b/c'))).toBe('refused');
    expect(router.subscribe(A, subscription('$share/g/a/b'))).toBe('new');
    expect(router.full).toBe(true);
    expect(router.subscribe(A, subscription('b'))).toBe('refused');
    expect(router.subscribe(A, subscription('$share/g/a/b', { qos: 1 }))).toBe('replaced');
    expect(router.unsubscribe(A, parseTopicFilter('$share/g/a/b'))).toBe(true);
    expect(router.size).toBe(0);
  });

  it('gives the same receivers as a router that remembers nothing', () => {
    const filter = fc.constantFrom(
      'a',
      'a/b',
      'a/+',
      'a/#',
      '#',
      '+',
      '+/b',
      '$share/g/a/#',
      '$share/g/#',
      '$share/h/a/b',
      '$x/#',
    );
    const step = fc.tuple(
      fc.constantFrom('subscribe', 'unsubscribe', 'drop'),
      fc.nat(3),
      filter,
      fc.constantFrom<QoS>(0, 1, 2),
    );
    const topics = ['a', 'a/b', 'b', '$x/b', 'a/b/c'].map(topic);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const peers = [0, 1, 2, 3].map((i) => peer(`p${i}`));
        const router = routerWith();
        const held = new Map<string, StoredSubscription & { by: Peer }>();
        for (const [what, who, text, qos] of steps) {
          const by = peers[who] as Peer;
          const wanted = subscription(text, { qos });
          if (what === 'subscribe') {
            router.subscribe(by, wanted);
            held.set(`${who} ${text}`, { ...wanted, by });
          } else if (what === 'unsubscribe') {
            router.unsubscribe(by, wanted.filter);
            held.delete(`${who} ${text}`);
          } else {
            router.drop(by);
            for (const [key, one] of held) if (one.by === by) held.delete(key);
          }
          const fresh = routerWith();
          for (const one of held.values()) fresh.subscribe(one.by, one);
          expect(router.size).toBe(held.size);
          for (const name of topics) expect(outline(router.route(name))).toEqual(outline(fresh.route(name)));
        }
      }),
      { numRuns: 40 },
    );
  });
});

function outline(route: Route<Peer>): unknown {
  const lines = (targets: Route<Peer>['targets']) => targets.map((one) => `${one.subscriber.key} ${one.qos}`).sort();
  return [lines(route.targets), route.groups.map((group) => [group.filter, ...lines(group.targets)].join()).sort()];
}
