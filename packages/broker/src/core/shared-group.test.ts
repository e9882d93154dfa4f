import { parseTopicFilter, parseTopicName } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { Router } from './router.ts';
import type { SharedGroup } from './shared-group.ts';

interface Peer {
  readonly key: string;
  online: boolean;
  inFlight: number;
}

const TOPIC = parseTopicName('job/1');

function setUp(count: number, filter = '$share/g/job/+') {
  const router = new Router<Peer>({
    routesMax: 10,
    levelsMax: 8,
    subscriptionsMax: 100,
    receive: () => 'always',
    policyGeneration: () => 0,
  });
  const peers = Array.from({ length: count }, (_, i) => ({ key: `p${i}`, online: true, inFlight: 0 }));
  for (const one of peers) join(router, one, filter);
  const group = () => router.route(TOPIC).groups[0] as SharedGroup<Peer>;
  return { router, peers, group };
}

function join(router: Router<Peer>, subscriber: Peer, filter: string): void {
  router.subscribe(subscriber, {
    filter: parseTopicFilter(filter),
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: 3,
  });
}

const anyone = () => true;

describe('SharedGroup', () => {
  it('[MQTT-4.8.2-3] gives each message to one member, in turn, with the QoS granted to it', () => {
    const { group } = setUp(3);
    const chosen = Array.from({ length: 6 }, () => group().choose(anyone)?.subscriber.key);
    expect([...chosen].sort()).toEqual(['p0', 'p0', 'p1', 'p1', 'p2', 'p2']);
    expect(chosen[0]).not.toBe(chosen[1]);
    expect(group().targets[0]).toMatchObject({ qos: 1, subscriptionIds: [3], verdict: 'always' });
  });

  it('prefers whoever has the fewest in flight', () => {
    const { peers, group } = setUp(3);
    const [a, b, c] = peers as [Peer, Peer, Peer];
    a.inFlight = 5;
    b.inFlight = 2;
    c.inFlight = 9;
    expect(group().choose(anyone)?.subscriber).toBe(b);
    expect(group().choose(anyone)?.subscriber).toBe(b);
    b.inFlight = 6;
    expect(group().choose(anyone)?.subscriber).toBe(a);
  });

  it('skips members that cannot take more and says so when none can', () => {
    const { peers, group } = setUp(3);
    const last = peers[2];
    expect(group().choose((target) => target.subscriber === last)?.subscriber).toBe(last);
    expect(group().choose(() => false)).toBeUndefined();
  });

  it('turns to members that are away only if nobody who is online can', () => {
    const { peers, group } = setUp(3);
    const [a, b, c] = peers as [Peer, Peer, Peer];
    a.online = false;
    b.online = false;
    c.inFlight = 50;
    for (let i = 0; i < 4; i++) expect(group().choose(anyone)?.subscriber).toBe(c);
    expect([a, b]).toContain(group().choose((target) => target.subscriber !== c)?.subscriber);
    c.online = false;
    const away = new Set(Array.from({ length: 3 }, () => group().choose(anyone)?.subscriber.key));
    expect(away.size).toBe(3);
  });

  it('a client in two groups and with a subscription of its own gets a copy from each', () => {
    const { router, peers } = setUp(1);
    const [one] = peers as [Peer];
    join(router, one, '$share/h/job/+');
    join(router, one, 'job/#');
    const route = router.route(TOPIC);
    expect(route.groups.map((group) => group.filter).sort()).toEqual(['$share/g/job/+', '$share/h/job/+']);
    expect(route.targets).toHaveLength(1);
    expect(route.targets[0]?.subscriptionIds).toEqual([3]);
  });

  it('groups of one name at different filters are different groups', () => {
    const { router, peers } = setUp(2);
    join(router, peers[0] as Peer, '$share/g/job/1');
    expect(
      router
        .route(TOPIC)
        .groups.map((group) => group.targets.length)
        .sort(),
    ).toEqual([1, 2]);
  });

  it('keeps its turn over a change of members', () => {
    const { router, peers, group } = setUp(2);
    group().choose(anyone);
    const newcomer = { key: 'new', online: true, inFlight: 0 };
    join(router, newcomer, '$share/g/job/+');
    const chosen = [group().choose(anyone), group().choose(anyone)].map((target) => target?.subscriber);
    expect(chosen).toEqual([peers[1], newcomer]);
    router.drop(peers[1] as Peer);
    expect(group().targets).toHaveLength(2);
  });
});
