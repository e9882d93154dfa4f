// Messages as Mosquitto's clients send and receive them.

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { MosquittoStage } from '../drivers/mosquitto-stage.ts';

export function mosquittoMessages(stage: MosquittoStage, folder: () => string): void {
  it('carries QoS 0, 1 and 2, each once, and no higher than was granted', async () => {
    const topic = stage.topicOf('pump');
    const [all, low] = await Promise.all([
      stage.subscribe('panel', topic, '-q', '2'),
      stage.subscribe('panel', topic, '-q', '1'),
    ]);
    for (const qos of [0, 1, 2]) {
      const payload = `at ${qos}, grün`;
      expect(await stage.publish('pump', topic, '-q', String(qos), '-m', payload)).toMatchObject({ exit: 0, err: '' });
      expect(await all.next()).toMatchObject({ topic, payload, qos, retain: 0 });
      expect(await low.next()).toMatchObject({ topic, payload, qos: Math.min(qos, 1) });
    }
    expect([all.waiting, low.waiting]).toEqual([0, 0]);
  });

  it('keeps a retained message for those who come later, until an empty one takes it away', async () => {
    const topic = stage.topicOf('pump');
    await stage.publish('pump', topic, '-q', '1', '-r', '-m', 'kept');
    const late = await stage.subscribeOnce('panel', topic, '-q', '1', '-C', '1', '-F', '%q %r %p');
    expect(late.out.toString()).toBe('1 1 kept\n');
    await stage.publish('pump', topic, '-q', '1', '-r', '-n');
    const later = await stage.subscribe('panel', topic, '-q', '1');
    await stage.publish('pump', topic, '-q', '1', '-m', 'only this');
    expect(await later.next()).toMatchObject({ payload: 'only this', retain: 0 });
  });

  it('carries a file of 900 KB of any bytes at QoS 2', async () => {
    const topic = stage.topicOf('pump');
    const bytes = randomBytes(900_000);
    const file = join(folder(), topic.replaceAll('/', '-'));
    writeFileSync(file, bytes);
    await stage.publish('pump', topic, '-q', '2', '-r', '-f', file);
    const received = await stage.subscribeOnce('panel', topic, '-q', '2', '-N', '-C', '1');
    expect(received.out.equals(bytes)).toBe(true);
    await stage.publish('pump', topic, '-q', '1', '-r', '-n');
  });

  it('divides lines among the members of a shared subscription, each to one of them', async () => {
    const topic = stage.topicOf('pump');
    const members = await Promise.all(
      ['panel', 'panel'].map(() => stage.subscribe('panel', `$share/team/${topic}`, '-q', '1')),
    );
    const sent = Array.from({ length: 10 }, (_, n) => `job ${n}`);
    expect(await stage.publishLines('pump', topic, sent, '-q', '1')).toMatchObject({ exit: 0, err: '' });
    const counts = () => members.map(({ waiting }) => waiting);
    await expect.poll(() => counts().reduce((sum, count) => sum + count), { timeout: 15_000 }).toBe(sent.length);
    expect(counts()).not.toContain(0);
    const taken: string[] = [];
    for (const member of members) while (member.waiting > 0) taken.push((await member.next()).payload);
    expect(taken.sort()).toEqual(sent);
  });

  it('keeps a session and the messages that came while its client was away, in order', async () => {
    const topic = stage.topicOf('pump');
    const kept = ['-q', '1', '-c', '-i', `panel/${stage.name()}`, ...(stage.isV5 ? ['-x', '300'] : [])];
    expect(await stage.subscribeOnce('panel', topic, ...kept, '-E')).toMatchObject({ exit: 0 });
    const payloads = ['one', 'two', 'three', 'four'];
    await stage.publishLines('pump', topic, payloads, '-q', '1');
    const { out } = await stage.subscribeOnce('panel', topic, ...kept, '-C', '4');
    expect(out.toString()).toBe('one\ntwo\nthree\nfour\n');
  });

  it('publishes the will when the connection is cut, and not after DISCONNECT', async () => {
    const [topic, other] = [stage.topicOf('pump'), stage.topicOf('panel')];
    const watcher = await stage.subscribe('panel', topic, '-q', '1');
    const will = ['--will-topic', topic, '--will-payload', 'gone', '--will-qos', '1'];
    (await stage.subscribe('pump', other, ...will)).kill();
    expect(await watcher.next()).toMatchObject({ payload: 'gone', qos: 1 });
    expect(await stage.subscribeOnce('pump', other, ...will, '-E')).toMatchObject({ exit: 0 });
    await stage.publish('pump', topic, '-q', '1', '-m', 'still here');
    expect(await watcher.next()).toMatchObject({ payload: 'still here' });
  });
}
