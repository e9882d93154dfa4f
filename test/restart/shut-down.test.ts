// A broker that is told to end: who may finish what, who is told what, and that nothing acknowledged is lost by it.

import { describe, expect, it } from 'vitest';
import { EVERY_WAY, fetch, leaveSubscribed, startPlant } from './plant.ts';

/** Longer than any of these tests: what ends before does so because everybody had finished. */
const LONG_MS = 600_000;

const WAYS = EVERY_WAY.filter(({ ending }) => ending === 'told');

describe.each(WAYS)('$name: a broker that ends', ({ ending, version }) => {
  it('tells idle clients at once, and ends connections that did not say who they are', async () => {
    const plant = await startPlant(ending);
    const idle = await plant.broker.connect('idle', { version });
    const silent = plant.broker.open(version);
    const busy = await plant.keep('busy', { version });
    await busy.subscribe({ filter: 'q', qos: 1 });
    await plant.publish('q', 'open');
    const { packetId } = await busy.expectMessage('q', 'open');
    const stopped = plant.broker.stop(LONG_MS);
    await busy.expectNothing();
    await idle.expectDisconnected('server-shutting-down');
    await silent.expectClosed();
    busy.ack('puback', packetId);
    await stopped;
    await busy.expectDisconnected('server-shutting-down');
    expect(plant.events('broker.stopped')).toMatchObject([{ unfinished: 0 }]);
  });

  it('lets exchanges of both directions finish, and begins no new delivery out of a queue', async () => {
    const plant = await startPlant(ending, { limits: { inFlightMax: 1 } });
    const client = await plant.keep('c', { version });
    await client.subscribe({ filter: 'q', qos: 2 });
    await plant.publish('q', 'first', { qos: 2 });
    await plant.publish('q', 'second', { qos: 2 });
    const first = await client.expectMessage('q', 'first');
    const publisher = await plant.keep('p', { version });
    const packetId = publisher.publish('q', 'third', { qos: 2 });
    await publisher.receive('pubrec');
    const stopped = plant.broker.stop(LONG_MS);
    client.ack('pubrec', first.packetId);
    await client.receive('pubrel');
    client.ack('pubcomp', first.packetId);
    publisher.ack('pubrel', packetId);
    await publisher.receive('pubcomp');
    await stopped;
    for (const one of [client, publisher]) await one.expectDisconnected('server-shutting-down');
    await plant.restart();
    const again = await plant.keep('c', { version, present: true });
    expect(await again.expectMessage('q', 'second')).toMatchObject({ dup: false });
  });

  it('neither keeps nor acknowledges what a client begins afterwards', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 's', { filter: 'q', qos: 2 }, version);
    const publisher = await plant.keep('p', { version });
    const kept = publisher.publish('q', 'kept', { qos: 2 });
    await publisher.receive('pubrec');
    const stopped = plant.broker.stop(LONG_MS);
    publisher.publish('q', 'too late', { qos: 1 });
    await stopped;
    await publisher.expectDisconnected('server-shutting-down');
    await plant.restart();
    const again = await plant.keep('p', { version, present: true });
    again.ack('pubrel', kept);
    await again.receive('pubcomp');
    await again.deliver('q', 'again', { qos: 1 });
    expect(await fetch(plant, 's', 2, version)).toEqual(['kept', 'again']);
  });

  it('waits no longer than it may for those that do not finish, and keeps what they were owed', async () => {
    const plant = await startPlant(ending);
    const client = await plant.keep('c', { version });
    await client.subscribe({ filter: 'q', qos: 1 });
    await plant.publish('q', 'open');
    await client.expectMessage('q', 'open');
    await plant.broker.stop(50);
    await client.expectDisconnected('server-shutting-down');
    expect(plant.events('broker.stopped')).toMatchObject([{ unfinished: 1 }]);
    await plant.restart();
    expect(await fetch(plant, 'c', 1, version)).toEqual(['open']);
  });

  it('leaves what a member of a group did not acknowledge with that member', async () => {
    const plant = await startPlant(ending);
    const members = [await plant.keep('m1', { version }), await plant.keep('m2', { version })];
    for (const member of members) await member.subscribe({ filter: '$share/g/job', qos: 1 });
    for (const payload of ['1', '2']) await plant.publish('job', payload);
    for (const member of members) await member.receive('publish');
    await plant.broker.stop(50);
    for (const member of members) await member.expectDisconnected('server-shutting-down');
    await plant.restart();
    const got = [await fetch(plant, 'm1', 1, version), await fetch(plant, 'm2', 1, version)];
    expect(got.flat().sort()).toEqual(['1', '2']);
  });
});
