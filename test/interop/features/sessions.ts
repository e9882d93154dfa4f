// Sessions and connections: what outlives a connection, what its end sets off, and who has it.

import { expect, it } from 'vitest';
import { byVersion } from '../client.ts';
import type { Stage } from '../stage.ts';

export function sessions(stage: Stage): void {
  it('keeps a session and the messages that came while its client was away, in order', async () => {
    const topic = stage.topicOf('pump');
    const kept = { clientId: `panel/${stage.name()}`, clean: 0, sessionExpiry: byVersion(stage.version, 300, 0) };
    const sender = await stage.client('pump');
    const first = await stage.client('panel', kept);
    expect(first.connack.sessionPresent).toBe(false);
    await first.subscribe(topic, { qos: 1 });
    await first.disconnect();
    const payloads = ['one', 'two', 'three', 'four'];
    for (const payload of payloads) await sender.publish(topic, payload, { qos: 1 });
    const second = await stage.client('panel', kept);
    // MQTT 3.1 has no such flag.
    if (stage.version !== '3.1') expect(second.connack.sessionPresent).toBe(true);
    expect(await second.nextPayloads(4)).toEqual(payloads);
    await second.disconnect();
    const third = await stage.client('panel', { ...kept, clean: 1 });
    expect(third.connack.sessionPresent).toBe(false);
  });

  it('publishes the will when the connection is cut, and not after DISCONNECT', async () => {
    const topic = stage.topicOf('pump');
    const will = {
      willTopic: topic,
      willPayload: Buffer.from('gone').toString('hex'),
      willQos: 1,
      willUser: stage.version === '5.0' ? ['why=cut', 'who=pump'] : [],
    };
    const watcher = await stage.client('panel');
    await watcher.subscribe(topic, { qos: 1 });
    (await stage.client('pump', will)).kill();
    expect(await watcher.next()).toMatchObject({ payload: 'gone', qos: 1, user: will.willUser });
    await (await stage.client('pump', will)).disconnect();
    await (await stage.client('pump')).publish(topic, 'still here', { qos: 1 });
    expect(await watcher.next()).toMatchObject({ payload: 'still here' });
  });

  it('gives the session to the connection that came last', async () => {
    const clientId = `panel/${stage.name()}`;
    const first = await stage.client('panel', { clientId });
    const second = await stage.client('panel', { clientId });
    const code = await first.closed();
    if (stage.version === '5.0' && stage.counterpart.tellsDisconnectReason) expect(code).toBe(0x8e);
    const topic = stage.topicOf('panel');
    await second.subscribe(topic, { qos: 1 });
    await second.publish(topic, 'mine', { qos: 1 });
    expect(await second.next()).toMatchObject({ payload: 'mine' });
  });
}
