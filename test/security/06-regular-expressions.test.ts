// Filters compiled to regular expressions (CVE-2018-11615): characters that mean something there mean nothing here, and
// what makes an expression backtrack for ever is matched in the time its length takes.

import { describe, it } from 'vitest';
import { startTestBroker } from '../harness/index.ts';

describe('filters', () => {
  it('with the characters of regular expressions match themselves alone', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    for (const filter of ['(a)*', '[a-z]', 'a.b', '^a$', 'a|b', '\\w', '.*', 'a{1,3}', '(?=a)']) {
      await subscriber.subscribe({ filter, qos: 0 });
      for (const topic of ['a', 'aab', 'b', 'axb']) publisher.publish(topic, 'no');
      publisher.publish(filter, 'yes');
      await subscriber.expectMessage(filter, 'yes');
      await subscriber.expectNothing();
      await subscriber.unsubscribe(filter);
    }
  });

  it('many wildcards against a long topic that almost matches', async () => {
    const broker = startTestBroker();
    const [subscriber, publisher] = [await broker.connect('s'), await broker.connect('p')];
    const filters = Array.from({ length: 100 }, (_, n) => `${'+/'.repeat(100)}end${n}`);
    await subscriber.subscribe(filters);
    for (let n = 0; n < 200; n++) publisher.publish(`${'a/'.repeat(100)}almost${n}`, 'x');
    await publisher.ping();
    await subscriber.expectNothing();
  });
});
