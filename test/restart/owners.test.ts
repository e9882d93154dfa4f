// Whose a session is after a restart: its identity must still be known, its rights are those of now, its generation goes on.

import { describe, expect, it } from 'vitest';
import type { RegisteredIdentity } from '../../packages/broker/src/ports/directory.ts';
import { ENDINGS, fetch, leaveSubscribed, startPlant } from './plant.ts';

const REALM = 'ca:motte';
const identities = (name: string) => ({ realm: REALM, name, kind: 'device', roles: [] }) as const;
const device = (name: string, state: RegisteredIdentity['state'] = 'active'): RegisteredIdentity => {
  return { ...identities(name), state, addedAtMs: 0 };
};

describe.each(ENDINGS)('%s: the identity of a session', (ending) => {
  it.each([
    ['is not registered any more', []],
    ['is disabled', [device('pump', 'disabled')]],
  ])('%s: the session is discarded, and said so', async (_, changed) => {
    const plant = await startPlant(ending, { identities, registered: [device('pump'), device('panel')] });
    for (const id of ['pump', 'panel']) await leaveSubscribed(plant, id, { filter: 'a', qos: 1 });
    await plant.restart({ registered: [...changed, device('panel')] });
    expect(plant.events('session.discarded')).toMatchObject([{ identity: `${REALM}\npump`, clientId: 'pump' }]);
    expect((await plant.stored()).map(({ session }) => session.name)).toEqual(['panel']);
    await plant.publish('a', 'x');
    await plant.restart({ registered: [device('pump'), device('panel')] });
    await (await plant.keep('pump', { present: false })).expectNothing();
    expect(await fetch(plant, 'panel', 1)).toEqual(['x']);
  });

  it('is registered, and its listener has another name now: the session stays', async () => {
    const plant = await startPlant(ending, { identities, registered: [device('pump')], listener: { name: 'old' } });
    await leaveSubscribed(plant, 'pump', { filter: 'a', qos: 1 });
    await plant.restart({ listener: { name: 'new' } });
    await plant.publish('a', 'x');
    expect(await fetch(plant, 'pump', 1)).toEqual(['x']);
  });

  it('is that of a listener without authentication which is gone: nobody can come for the session', async () => {
    const plant = await startPlant(ending, { listener: { name: 'lab' } });
    await leaveSubscribed(plant, 'c', { filter: 'a', qos: 1 });
    await plant.restart({ listener: { name: 'bench' } });
    expect(plant.events('session.discarded')).toMatchObject([{ identity: 'listener:lab\nanonymous', clientId: 'c' }]);
    expect(await plant.stored()).toEqual([]);
  });
});

describe.each(ENDINGS)('%s: an identity that a token proved', (ending) => {
  it('is in no registry, and its session stays, with the roles of its last token', async () => {
    const identities = (name: string) =>
      ({ realm: 'token:https://a', name, kind: 'user', roles: ['operator'] }) as const;
    const plant = await startPlant(ending, { identities });
    await leaveSubscribed(plant, 'ada', { filter: 'a', qos: 1 });
    await plant.restart();
    await plant.publish('a', 'x');
    expect((await plant.stored())[0]?.session).toMatchObject({ name: 'ada', kind: 'user', roles: ['operator'] });
    await plant.restart();
    expect(await fetch(plant, 'ada', 1)).toEqual(['x']);
    await plant.restart({ registered: [{ ...identities('ada'), state: 'disabled', addedAtMs: 0 }] });
    expect(plant.events('session.discarded')).toMatchObject([{ clientId: 'ada' }]);
  });
});

describe.each(ENDINGS)('%s: rights that were taken away meanwhile', (ending) => {
  it('are gone: the subscription ends for good, what waits for it is not delivered and is reported', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(
      plant,
      'c',
      ['open', 'secret'].map((filter) => ({ filter, qos: 1 as const })),
    );
    for (const topic of ['secret', 'open']) await plant.publish(topic, topic);
    await plant.restart({ rules: ['allow all #', 'deny subscribe secret', 'deny receive secret'] });
    await plant.publish('secret', 'later');
    expect(await fetch(plant, 'c', 1)).toEqual(['open']);
    await plant.broker.advance(1_000);
    expect(plant.events('session.dropped-message')).toMatchObject([
      { clientId: 'c', topic: 'secret', why: 'it may not be received any more' },
    ]);
    await plant.restart({ rules: ['allow all #'] });
    await plant.publish('secret', 'much later');
    expect(await fetch(plant, 'c', 0)).toEqual([]);
  });

  it('cover released QoS 2 no more: its exchange is finished', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c');
    await client.subscribe({ filter: 'secret', qos: 2 });
    await plant.publish('secret', 'x', { qos: 2 });
    const { packetId } = await client.expectMessage('secret', 'x');
    client.ack('pubrec', packetId);
    await client.receive('pubrel');
    await plant.restart({ rules: ['allow publish #'] });
    const again = await plant.keep('c', { present: true });
    expect(await again.receive('pubrel')).toMatchObject({ packetId });
  });
});

describe.each(ENDINGS)('%s: the last CONNECT', (ending) => {
  it('[MQTT-3.1.2-4] [MQTT-3.2.2-2] with Clean Start leaves nothing of the session before', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'c', { filter: 'old', qos: 1 });
    await plant.publish('old', 'owed');
    const anew = await plant.keep('c', { cleanStart: true, present: false });
    await anew.subscribe({ filter: 'new', qos: 1 });
    await plant.restart();
    for (const topic of ['old', 'new']) await plant.publish(topic, topic);
    expect(await fetch(plant, 'c', 1)).toEqual(['new']);
  });

  it('without a session that is kept leaves none', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 'c', { filter: 'old', qos: 1 });
    await plant.broker.connect('c', { cleanStart: true });
    await plant.restart();
    expect(await plant.stored()).toEqual([]);
    await plant.keep('c', { present: false });
  });

  it('raised the generation of the session, and the next one raises it further', async () => {
    const plant = await startPlant(ending);
    for (let n = 0; n < 3; n++) await (await plant.keep('c')).cut();
    await plant.restart();
    expect((await plant.stored())[0]?.session.generation).toBe(3);
    await plant.keep('c', { present: true });
    await plant.restart();
    expect((await plant.stored())[0]?.session.generation).toBe(4);
  });
});
