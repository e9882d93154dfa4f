// Messages on their way: quality of service, retained, large, shared, ended subscriptions.

import { expect, it } from 'vitest';
import type { Stage } from '../stage.ts';

export function messages(stage: Stage): void {
  it('carries QoS 0, 1 and 2, each once, and no higher than was granted', async () => {
    const topic = stage.topicOf('pump');
    const [all, low, sender] = await Promise.all([stage.client('panel'), stage.client('panel'), stage.client('pump')]);
    expect(await all.subscribe(topic, { qos: 2 })).toBe(2);
    expect(await low.subscribe(topic, { qos: 1 })).toBe(1);
    for (const qos of [0, 1, 2]) await sender.publish(topic, `at ${qos}, grün`, { qos });
    for (const qos of [0, 1, 2]) {
      expect(await all.next()).toMatchObject({ topic, payload: `at ${qos}, grün`, qos, retain: false });
      expect(await low.next()).toMatchObject({ topic, payload: `at ${qos}, grün`, qos: Math.min(qos, 1) });
    }
    await low.unsubscribe(topic);
    await sender.publish(topic, 'last', { qos: 1 });
    expect(await all.next()).toMatchObject({ payload: 'last' });
    // Its DISCONNECT goes behind everything that it was sent.
    await Promise.all([all.disconnect(), low.disconnect()]);
    expect([all.waiting, low.waiting]).toEqual([0, 0]);
  });

  it('keeps a retained message for those who come later, until an empty one takes it away', async () => {
    const topic = stage.topicOf('pump');
    const sender = await stage.client('pump');
    await sender.publish(topic, 'kept', { qos: 1, retain: 1 });
    const late = await stage.client('panel');
    await late.subscribe(topic, { qos: 1 });
    expect(await late.next()).toMatchObject({ payload: 'kept', retain: true, qos: 1 });
    await sender.publish(topic, '', { qos: 1, retain: 1 });
    expect(await late.next()).toMatchObject({ payload: '', retain: false });
    await late.unsubscribe(topic);
    await late.subscribe(topic, { qos: 1 });
    await sender.publish(topic, 'only this', { qos: 1 });
    expect(await late.next()).toMatchObject({ payload: 'only this' });
  });

  it('carries a payload of 900 KB both ways at QoS 2', async () => {
    const topic = stage.topicOf('pump');
    const client = await stage.client('pump');
    await client.subscribe(topic, { qos: 2 });
    const payload = 'big payload '.repeat(75_000);
    await client.publish(topic, payload, { qos: 2 });
    const received = await client.next();
    expect(received.payload.length).toBe(900_000);
    expect(received.payload === payload).toBe(true);
  });

  it('divides a shared subscription among its members, each message to one of them', async () => {
    const topic = stage.topicOf('pump');
    const [one, two, sender] = await Promise.all([stage.client('panel'), stage.client('panel'), stage.client('pump')]);
    for (const member of [one, two]) expect(await member.subscribe(`$share/team/${topic}`, { qos: 1 })).toBe(1);
    const sent = Array.from({ length: 10 }, (_, n) => `job ${n}`);
    for (const payload of sent) await sender.publish(topic, payload, { qos: 1 });
    // Each is given one at a time, so that neither is left out.
    await Promise.all([one.unsubscribe(`$share/team/${topic}`), two.unsubscribe(`$share/team/${topic}`)]);
    expect(one.waiting).toBeGreaterThan(0);
    expect(two.waiting).toBeGreaterThan(0);
    const done = [...(await one.nextPayloads(one.waiting)), ...(await two.nextPayloads(two.waiting))];
    expect(done.sort()).toEqual(sent);
  });
}
