// What a device may not do, as Mosquitto's clients tell the person at the terminal.

import { expect, it } from 'vitest';
import { byVersion } from '../client.ts';
import { run } from '../drivers/mosquitto.ts';
import type { MosquittoStage } from '../drivers/mosquitto-stage.ts';

export interface ForeignFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** `foreign` has the files of a device of the same name, of another CA. */
export function mosquittoRefusals(stage: MosquittoStage, foreign: () => ForeignFiles): void {
  it('refuses a topic of another device and a filter outside its rights', async () => {
    const topic = stage.topicOf('panel');
    const watcher = await stage.subscribe('panel', topic, '-q', '2');
    for (const qos of ['0', '1', '2']) {
      const { exit, err } = await stage.publish('pump', topic, '-q', qos, '-m', 'not mine');
      expect(exit).toBe(0);
      if (stage.isV5 && qos !== '0') expect(err).toContain('Not authorized');
    }
    await stage.publish('panel', topic, '-q', '1', '-m', 'mine');
    // The first that comes: those before it were dropped.
    expect(await watcher.next()).toMatchObject({ payload: 'mine' });
    const { err } = await stage.subscribeOnce('pump', 'elsewhere/#', '-C', '1');
    expect(err).toContain('All subscription requests were denied');
  });

  it('refuses a client id that is not of the device, and a will that it may not publish', async () => {
    const topic = stage.topicOf('pump');
    const stranger = await stage.publish('pump', topic, '-m', 'x', '-i', 'stranger');
    expect(stranger.exit).toBe(byVersion(stage.version, 0x85, 2));
    const spoiler = await stage.publish('pump', topic, '-m', 'x', '--will-topic', stage.topicOf('panel'));
    expect(spoiler.exit).toBe(byVersion(stage.version, 0x87, 5));
  });

  it('lets in nobody without a certificate of its CA, and is trusted by nobody who does not know that CA', async () => {
    const message = ['-q', '1', '-t', stage.topicOf('pump'), '-m', 'x', '-i', 'pump'];
    const { ca, cert, key } = foreign();
    const withForeign = [...stage.anonymous('pump'), '--cert', cert, '--key', key];
    const doubting = [...stage.as('pump'), '--cafile', ca];
    for (const args of [stage.anonymous('pump'), withForeign, doubting]) {
      expect((await run('mosquitto_pub', [...args, ...message])).exit).not.toBe(0);
    }
    expect((await run('mosquitto_pub', [...stage.as('pump'), ...message])).exit).toBe(0);
  });
}
