// What a device may not do, as its own tool shows it.

import { expect, it } from 'vitest';
import { byVersion } from '../client.ts';
import type { Stage } from '../stage.ts';

export function refusals(stage: Stage): void {
  const isV5 = stage.version === '5.0';

  it('refuses a topic of another device and a filter outside its rights, and the connection goes on', async () => {
    const [foreign, own] = [stage.topicOf('panel'), stage.topicOf('pump')];
    const [watcher, client] = await Promise.all([stage.client('panel'), stage.client('pump')]);
    await watcher.subscribe('devices/+/up/#', { qos: 2 });
    expect(await client.subscribe('elsewhere/#', { qos: 1 })).toBe(byVersion(stage.version, 0x87, 0x80));
    for (const qos of [0, 1, 2]) {
      const code = await client.publish(foreign, 'not mine', { qos });
      if (stage.counterpart.tellsPublishReason) expect(code).toBe(isV5 && qos > 0 ? 0x87 : 0);
    }
    await client.publish(own, 'mine', { qos: 1 });
    // The first that comes: those before it were dropped.
    expect(await watcher.next()).toMatchObject({ topic: own, payload: 'mine' });
  });

  it('refuses a client id that is not of the device, and a will that it may not publish', async () => {
    const stranger = await stage.attempt('pump', { clientId: 'stranger' });
    expect(stranger.connack).toMatchObject({ how: 'refused', code: byVersion(stage.version, 0x85, 2) });
    const will = { willTopic: stage.topicOf('panel'), willPayload: '00', willQos: 1 };
    const spoiler = await stage.attempt('pump', will);
    expect(spoiler.connack).toMatchObject({ how: 'refused', code: byVersion(stage.version, 0x87, 5) });
  });

  it('lets in nobody without a certificate', async () => {
    const nobody = await stage.attempt('pump', { cert: undefined, key: undefined });
    expect(nobody.connack.how).toBe('failed');
  });
}
