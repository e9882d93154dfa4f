import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../../../test/harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

describe('a shared group', () => {
  it('passes over a member whose queue is full while another has room', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 4, inFlightMax: 10 } });
    const publisher = await broker.connect('p');
    const small = await broker.connect('small', { properties: { receiveMaximum: 1 } });
    const large = await broker.connect('large', { properties: { receiveMaximum: 3 } });
    for (const member of [small, large]) await member.subscribe({ filter: '$share/g/t', qos: 1 });
    // 1 + 3 under way, 4 + 4 queued.
    for (let n = 0; n < 12; n++) await publisher.deliver('t', `${n}`);
    const dropped = () => broker.events.filter(({ name }) => name === 'session.dropped-message').length;
    expect(dropped()).toBe(0);
    await publisher.deliver('t', 'one too many');
    expect(dropped()).toBe(1);
  });

  it('of members that are all away gives QoS 1 to one that can keep it', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    for (const [id, qos] of [
      ['a', 0],
      ['b', 1],
    ] as const) {
      const member = await broker.connect(id, { cleanStart: false, properties: KEPT });
      await member.subscribe({ filter: '$share/g/t', qos });
      await member.cut();
    }
    for (let n = 0; n < 4; n++) await publisher.deliver('t', `${n}`);
    const back = await broker.connect('b', { cleanStart: false, properties: KEPT });
    expect(await back.takeMessages(4)).toHaveLength(4);
  });

  it('gives it to one that is away and has room rather than to nobody', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 2 } });
    const publisher = await broker.connect('p');
    const away = await broker.connect('away', { cleanStart: false, properties: KEPT });
    const slow = await broker.connect('slow', { properties: { receiveMaximum: 1 } });
    for (const member of [away, slow]) await member.subscribe({ filter: '$share/g/t', qos: 1 });
    await away.cut();
    for (let n = 0; n < 5; n++) await publisher.deliver('t', `${n}`);
    expect(broker.events.filter(({ name }) => name === 'session.dropped-message')).toEqual([]);
    const back = await broker.connect('away', { cleanStart: false, properties: KEPT });
    expect(await back.takeMessages(2)).toEqual(['3', '4']);
  });

  it('passes over a member that may not receive this very message', async () => {
    const broker = startTestBroker();
    broker.access.receive = () => 'ask';
    let asked = 0;
    broker.access.receiveMessage = () => ++asked % 2 === 0;
    const publisher = await broker.connect('p');
    const members = [await broker.connect('a'), await broker.connect('b')];
    for (const member of members) await member.subscribe({ filter: '$share/g/t', qos: 1 });
    for (let n = 0; n < 3; n++) expect(await publisher.deliver('t', `${n}`)).toBe(0);
    const got = await Promise.all(members.map((member) => member.receiveAll()));
    expect(got.flat()).toHaveLength(3);
  });
});
