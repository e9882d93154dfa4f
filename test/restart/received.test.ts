// QoS 2 from publishers whose exchange was open when the broker ended (method A): kept, answered again, routed once.

import { describe, expect, it } from 'vitest';
import { ENDINGS, EVERY_WAY, leaveSubscribed, startPlant } from './plant.ts';

describe.each(EVERY_WAY)('$name: a QoS 2 message that was not released', ({ ending, version }) => {
  it('[MQTT-4.3.3-10] is not routed by its PUBLISH coming again, and once by its PUBREL', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 's', { filter: 'a', qos: 2 }, version);
    const publisher = await plant.keep('p', { version });
    const packetId = publisher.publish('a', 'once', { qos: 2 });
    expect(await publisher.receive('pubrec')).toMatchObject({ packetId });
    await plant.restart();
    const subscriber = await plant.keep('s', { version, present: true });
    const again = await plant.keep('p', { version, present: true });
    again.publish('a', 'once', { qos: 2, dup: true, packetId });
    expect(await again.receive('pubrec')).toMatchObject({ packetId });
    await subscriber.expectNothing();
    again.ack('pubrel', packetId);
    expect(await again.receive('pubcomp')).toMatchObject({ packetId, reasonCode: 0 });
    expect(await subscriber.takeMessages(1)).toEqual(['once']);
    again.ack('pubrel', packetId);
    expect(await again.receive('pubcomp')).toMatchObject({ packetId, reasonCode: version === 5 ? 0x92 : 0 });
    await subscriber.expectNothing();
  });

  it('[MQTT-4.3.3-11] is routed by a PUBREL that comes without its PUBLISH', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 's', { filter: 'a', qos: 2 }, version);
    const publisher = await plant.keep('p', { version });
    const packetId = publisher.publish('a', 'kept', { qos: 2 });
    await publisher.receive('pubrec');
    await publisher.cut();
    await plant.restart();
    await plant.restart();
    const again = await plant.keep('p', { version, present: true });
    again.ack('pubrel', packetId);
    expect(await again.receive('pubcomp')).toMatchObject({ packetId });
    await plant.restart();
    expect(await (await plant.keep('s', { version, present: true })).takeMessages(1)).toEqual(['kept']);
  });

  it('[MQTT-4.3.3-12] is over once PUBCOMP was sent: its identifier begins a new message', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 's', { filter: 'a', qos: 2 }, version);
    const publisher = await plant.keep('p', { version });
    await publisher.deliver('a', 'first', { qos: 2, packetId: 9 });
    await plant.restart();
    const again = await plant.keep('p', { version, present: true });
    await again.deliver('a', 'second', { qos: 2, packetId: 9 });
    const subscriber = await plant.keep('s', { version, present: true });
    expect(await subscriber.takeMessages(2)).toEqual(['first', 'second']);
  });

  it('may not be published any more when it is released: it is not', async () => {
    const plant = await startPlant(ending);
    await leaveSubscribed(plant, 's', { filter: 'a', qos: 2 }, version);
    const publisher = await plant.keep('p', { version });
    const packetId = publisher.publish('a', 'refused', { qos: 2 });
    await publisher.receive('pubrec');
    await plant.restart({ rules: ['allow subscribe #'] });
    const again = await plant.keep('p', { version, present: true });
    again.ack('pubrel', packetId);
    await again.receive('pubcomp');
    await (await plant.keep('s', { version, present: true })).expectNothing();
    await again.disconnect();
    expect(plant.events('peer.refused')).toMatchObject([{ packet: 'pubrel', topic: 'a' }]);
  });
});

describe.each(ENDINGS)('MQTT 5.0, %s: a QoS 2 message that was not released', (ending) => {
  it('[MQTT-3.8.3-3] is still the own message of its publisher', async () => {
    const plant = await startPlant(ending);
    const publisher = await plant.keep('p');
    await publisher.subscribe({ filter: 'a', qos: 1, noLocal: true });
    const packetId = publisher.publish('a', 'own', { qos: 2 });
    await publisher.receive('pubrec');
    await plant.restart();
    const again = await plant.keep('p', { present: true });
    again.ack('pubrel', packetId);
    await again.receive('pubcomp');
    await again.expectNothing();
  });
});
