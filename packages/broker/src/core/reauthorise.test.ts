import { describe, expect, it } from 'vitest';
import { type RawClient, startTestBroker, type TestBroker } from '../../../../test/harness/index.ts';
import { policyOf, roleOf } from '../access/policy.ts';

const MANY = 1_000;
const granting = (...rules: string[]) => policyOf([roleOf('lab', rules)]);

/** A broker whose clients all subscribe to `t`, except for one that publishes. */
async function crowded(): Promise<{ broker: TestBroker; crowd: RawClient[]; publisher: RawClient }> {
  const broker = startTestBroker({ policy: granting('allow publish t', 'allow subscribe t') });
  const publisher = await broker.connect('p');
  const crowd: RawClient[] = [];
  for (let n = 0; n < MANY; n++) {
    const client = await broker.connect(`c${n}`);
    await client.subscribe('t');
    crowd.push(client);
  }
  return { broker, crowd, publisher };
}

describe('a policy that takes the rights of many', () => {
  it('leaves the broker free for others before all of them are gone, and counts every one', async () => {
    const { broker, crowd } = await crowded();
    const before = new Set<number>();
    let isOver = false;
    const watch = (): void => {
      before.add(broker.clients().length);
      if (!isOver) setImmediate(watch);
    };
    setImmediate(watch);
    const lost = await broker.usePolicy(granting('allow publish t'));
    isOver = true;
    expect(lost).toEqual({ subscriptions: MANY, connections: MANY });
    // Two or three dozen to a turn.
    expect(before.size).toBeGreaterThan(MANY / 40);
    expect(broker.clients()).toHaveLength(1);
    expect(await crowd[MANY - 1]?.receive('disconnect')).toMatchObject({ reasonCode: 0x87 });
  });

  it('is felt at once by those whose turn has not come', async () => {
    const { broker, crowd, publisher } = await crowded();
    const applied = broker.usePolicy(granting('allow publish t'));
    // In the very turn, where the first few are gone at most.
    expect(broker.clients().length).toBeGreaterThan(MANY / 2);
    publisher.publish('t', 'secret', { qos: 1 });
    const last = crowd[MANY - 1] as RawClient;
    last.subscribe('t').catch(() => undefined);
    await applied;
    const packets = await last.receiveAll();
    expect(packets.map(({ type }) => type)).not.toContain('publish');
    expect(packets.at(-1)).toMatchObject({ type: 'disconnect', reasonCode: 0x87 });
  });

  it('goes on by itself where nobody waits for it', async () => {
    const broker = startTestBroker();
    for (let n = 0; n < MANY; n++) await (await broker.connect(`c${n}`)).subscribe('t');
    broker.access.replace([]);
    await broker.advance(250);
    expect(broker.clients().length).toBeGreaterThan(0);
    for (let ticks = 0; ticks < MANY; ticks += 25) await broker.advance(250);
    expect(broker.clients()).toEqual([]);
  });

  it('does not chase a broker that ends', async () => {
    const { broker } = await crowded();
    const applied = broker.usePolicy(granting('allow publish t'));
    await broker.stop();
    expect((await applied).connections).toBeLessThan(MANY);
  });
});
