// mosquitto_rr, which asks and waits for the answer, and what else only MQTT 5.0 has.

import { expect, it } from 'vitest';
import type { MosquittoStage } from '../drivers/mosquitto-stage.ts';

/** Not of MQTT 3.1, which mosquitto_rr does not speak. */
export function mosquittoRequests(stage: MosquittoStage): void {
  it('answers a request on the topic and with the correlation data that it names', async () => {
    const [request, response] = [stage.topicOf('pump'), stage.topicOf('panel')];
    const answerer = await stage.subscribe('panel', request, '-q', '1');
    const correlation = stage.isV5 ? ['-D', 'publish', 'correlation-data', 'number 42'] : [];
    const asking = stage.request('pump', request, response, '-q', '1', '-m', 'how much?', ...correlation, '-W', '15');
    const asked = await answerer.next();
    expect(asked).toMatchObject({ payload: 'how much?' });
    if (stage.isV5) {
      expect(asked.properties).toMatchObject({ 'response-topic': response, 'correlation-data': 'number 42' });
    }
    await stage.publish('panel', response, '-q', '1', '-m', 'that much', ...correlation);
    const answer = await asking;
    expect(answer).toMatchObject({ exit: 0, err: '' });
    expect(answer.out.toString()).toBe('that much\n');
  });
}

export function mosquittoProperties(stage: MosquittoStage): void {
  it('carries the properties of a message, user properties in order', async () => {
    const topic = stage.topicOf('pump');
    const set = (...args: string[]) => ['-D', 'publish', ...args];
    const { exit, err } = await stage.publish(
      'pump',
      topic,
      ...['-q', '1', '-r', '-m', '{"t":21.5}'],
      ...set('user-property', 'unit', '°C'),
      ...set('user-property', 'audit', 'first'),
      ...set('user-property', 'audit', 'second'),
      ...set('content-type', 'application/json'),
      ...set('payload-format-indicator', '1'),
      ...set('response-topic', 'devices/pump/up/answers'),
    );
    expect([exit, err]).toEqual([0, '']);
    const identified = ['-D', 'subscribe', 'subscription-identifier', '7'];
    const { out } = await stage.subscribeOnce('panel', topic, ...identified, '-C', '1', '-F', '%p|%P|%C|%F|%R|%S');
    expect(out.toString().trimEnd().split('|')).toEqual([
      '{"t":21.5}',
      'unit:°C audit:first audit:second',
      'application/json',
      '1',
      'devices/pump/up/answers',
      '7',
    ]);
  });
}
