// What only MQTT 5.0 has.

import { expect, it } from 'vitest';
import { type Fields, valueOf } from '../line-coding.ts';
import type { Stage } from '../stage.ts';

export function version5(stage: Stage): void {
  it('carries the properties of a message, user properties in order', async () => {
    const topic = stage.topicOf('pump');
    const [receiver, sender] = await Promise.all([stage.client('panel'), stage.client('pump')]);
    await receiver.subscribe(topic, { qos: 1 });
    const user = ['unit=°C', 'line=7', 'audit=first', 'audit=second'];
    const correlation = '00ff10';
    await sender.publish(topic, '{"t":21.5}', {
      qos: 1,
      user,
      correlation,
      responseTopic: 'devices/pump/up/answers',
      contentType: 'application/json',
      payloadFormat: 1,
      messageExpiry: 600,
    });
    const { fields, ...message } = await receiver.next();
    expect(message).toMatchObject({ payload: '{"t":21.5}', user });
    expect(pick(fields, 'correlation', 'responseTopic', 'contentType', 'payloadFormat')).toEqual([
      correlation,
      'devices/pump/up/answers',
      'application/json',
      '1',
    ]);
    const left = Number(valueOf(fields, 'messageExpiry'));
    expect(left).toBeGreaterThan(580);
    expect(left).toBeLessThanOrEqual(600);
  });

  it('answers a request on the topic and with the correlation data that it names', async () => {
    const [request, response] = [stage.topicOf('pump'), stage.topicOf('panel')];
    const [asker, answerer] = await Promise.all([stage.client('pump'), stage.client('panel')]);
    await asker.subscribe(response, { qos: 1 });
    await answerer.subscribe(request, { qos: 1 });
    await asker.publish(request, 'how much?', { qos: 1, responseTopic: response, correlation: '2a' });
    const { fields } = await answerer.next();
    const [to = '', correlation = ''] = pick(fields, 'responseTopic', 'correlation');
    await answerer.publish(to, '42', { qos: 1, correlation });
    const answer = await asker.next();
    expect(answer).toMatchObject({ topic: response, payload: '42' });
    expect(pick(answer.fields, 'correlation')).toEqual(['2a']);
  });

  it('sends one copy with every subscription identifier, and none of its own to who wants none', async () => {
    const topic = stage.topicOf('pump');
    const [receiver, sender] = await Promise.all([stage.client('panel'), stage.client('pump')]);
    await receiver.subscribe(topic, { qos: 1, identifier: 7 });
    await receiver.subscribe('devices/pump/up/#', { qos: 0, identifier: 300 });
    await sender.subscribe(topic, { qos: 1, noLocal: 1 });
    await sender.publish(topic, 'once', { qos: 1 });
    const message = await receiver.next();
    expect(message).toMatchObject({ payload: 'once', qos: 1 });
    expect([...message.identifiers].sort()).toEqual([300, 7]);
    await Promise.all([receiver.disconnect(), sender.disconnect()]);
    expect([receiver.waiting, sender.waiting]).toEqual([0, 0]);
  });

  it('heeds retain handling and retain as published', async () => {
    const topic = stage.topicOf('pump');
    const [receiver, sender] = await Promise.all([stage.client('panel'), stage.client('pump')]);
    await sender.publish(topic, 'old', { qos: 1, retain: 1 });
    await receiver.subscribe(topic, { qos: 1, retainHandling: 2, retainAsPublished: 1 });
    await sender.publish(topic, 'new', { qos: 1, retain: 1 });
    expect(await receiver.next()).toMatchObject({ payload: 'new', retain: true });
    await receiver.subscribe(topic, { qos: 1, retainHandling: 1, retainAsPublished: 1 });
    await receiver.subscribe(topic, { qos: 1, retainHandling: 0 });
    // Only the last of the two was owed the message again.
    expect(await receiver.next()).toMatchObject({ payload: 'new', retain: true });
    await sender.publish(topic, '', { qos: 1, retain: 1 });
    expect(await receiver.next()).toMatchObject({ payload: '', retain: false });
  });

  it('takes topic aliases, and gives them to who allows some', async () => {
    const topic = stage.topicOf('pump');
    const allowing = stage.counterpart.resolvesAliases ? { topicAliasMaximum: 5 } : {};
    const [receiver, sender] = await Promise.all([stage.client('panel', allowing), stage.client('pump')]);
    await receiver.subscribe(topic, { qos: 1 });
    await sender.publish(topic, 'with its topic', { qos: 1, topicAlias: 3 });
    await sender.publish('', 'by alias', { qos: 1, topicAlias: 3 });
    const [first, second] = [await receiver.next(), await receiver.next()];
    expect(first).toMatchObject({ topic, payload: 'with its topic' });
    expect(second).toMatchObject({ topic, payload: 'by alias' });
    if (stage.counterpart.resolvesAliases) {
      for (const { fields } of [first, second]) expect(valueOf(fields, 'topicAlias')).toBe('1');
    }
  });

  it('assigns a client id to who has none', async () => {
    const client = await stage.client('panel', { clientId: '' });
    expect(client.connack.assigned).toMatch(/^panel\/.+/);
  });
}

function pick(fields: Fields, ...names: string[]): (string | undefined)[] {
  return names.map((name) => valueOf(fields, name));
}
