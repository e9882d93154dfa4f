// Shared subscriptions over a restart (4.8.2): what a member was owed waits for its return, and goes to another one if its session
// ends instead.

import { describe, expect, it } from 'vitest';
import type { RegisteredIdentity } from '../../packages/broker/src/ports/directory.ts';
import { ENDINGS, fetch, leaveSubscribed, type Plant, startPlant } from './plant.ts';

const GROUP = { filter: '$share/g/job', qos: 2 } as const;
const identities = (name: string) => ({ realm: 'ca:motte', name, kind: 'device', roles: [] }) as const;
const device = (name: string): RegisteredIdentity => ({ ...identities(name), state: 'active', addedAtMs: 0 });

/** The only member is away for a minute at most, and owed these; then a second one joins and leaves. */
async function oweToFirst(plant: Plant): Promise<void> {
  const first = await plant.keep('m1', { properties: { sessionExpiryInterval: 60 } });
  await first.subscribe(GROUP);
  await first.cut();
  await plant.publish('job', 'qos 1', { qos: 1 });
  await plant.publish('job', 'qos 2', { qos: 2 });
  await plant.publish('job', 'short', { properties: { messageExpiryInterval: 5 } });
  await leaveSubscribed(plant, 'm2', GROUP);
}

describe.each(ENDINGS)('%s: what a member of a group is owed', (ending) => {
  it('waits for its return', async () => {
    const plant = await startPlant(ending);
    await oweToFirst(plant);
    await plant.restart({ downMs: 10_000 });
    expect(await fetch(plant, 'm1', 2)).toEqual(['qos 1', 'qos 2']);
    expect(await fetch(plant, 'm2', 0)).toEqual([]);
  });

  it('goes to another member if its session ended while the broker was down, unless it expired', async () => {
    const plant = await startPlant(ending);
    await oweToFirst(plant);
    await plant.restart({ downMs: 61_000 });
    expect(await fetch(plant, 'm2', 2)).toEqual(['qos 1', 'qos 2']);
  });

  it('goes to another member if its session ends after the start, and is stored there', async () => {
    const plant = await startPlant(ending);
    await oweToFirst(plant);
    await plant.restart({ downMs: 30_000 });
    await plant.broker.advance(31_000);
    await plant.restart();
    expect(await fetch(plant, 'm2', 2)).toEqual(['qos 1', 'qos 2']);
  });

  it('goes to another member if its identity is not known any more', async () => {
    const plant = await startPlant(ending, { identities, registered: [device('m1'), device('m2')] });
    await oweToFirst(plant);
    await plant.restart({ downMs: 6_000, registered: [device('m2')] });
    expect(await fetch(plant, 'm2', 2)).toEqual(['qos 1', 'qos 2']);
  });

  it('[MQTT-4.8.2-4] [MQTT-4.8.2-5] of QoS 2 and was sent already waits for it, and ends with it', async () => {
    const plant = await startPlant(ending);
    const member = await plant.keep('m1', { properties: { sessionExpiryInterval: 60 } });
    await member.subscribe(GROUP);
    await plant.publish('job', 'begun', { qos: 2 });
    const { packetId } = await member.expectMessage('job', 'begun');
    await member.cut();
    await leaveSubscribed(plant, 'm2', GROUP);
    await plant.restart({ downMs: 10_000 });
    const again = await plant.keep('m1', { present: true, properties: { sessionExpiryInterval: 60 } });
    expect(await again.expectMessage('job', 'begun')).toMatchObject({ packetId, dup: true });
    await again.cut();
    await plant.restart({ downMs: 61_000 });
    expect(plant.events('session.expired')).toMatchObject([{ clientId: 'm1' }]);
    expect(await fetch(plant, 'm2', 0)).toEqual([]);
  });

  it('is still of that group: it goes on to the other member when the client breaks off', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'm1', GROUP);
    await plant.publish('job', 'x', { qos: 1 });
    await plant.restart();
    const first = await plant.keep('m1', { present: true });
    await first.expectMessage('job', 'x');
    const second = await plant.keep('m2');
    await second.subscribe(GROUP);
    await first.cut();
    expect(await second.takeMessages(1)).toEqual(['x']);
    await plant.restart();
    expect(await fetch(plant, 'm1', 0)).toEqual([]);
    expect(await fetch(plant, 'm2', 0)).toEqual([]);
  });
});
