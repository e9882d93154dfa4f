// A will that goes round the rules (CVE-2018-3778, mochi #503, NanoMQ #2330): asked at CONNECT and again when it is due, by
// the same function and under the same limits as any PUBLISH; none from a peer that was not proven.

import { describe, expect, it } from 'vitest';
import { refuse } from '../../packages/broker/src/ports/verdict.ts';
import { startTestBroker, will } from '../harness/index.ts';

const RULES = ['allow subscribe #', 'allow publish ok/#', 'allow publish w/#'];

describe('a will', () => {
  it.each([4, 5] as const)(
    'of a peer that was refused, for whatever reason, is never published (version %i)',
    async (version) => {
      let refusing = false;
      const identity = { realm: 'test', name: 'x', kind: 'user', roles: [] } as const;
      const broker = startTestBroker({
        authenticate: () =>
          Promise.resolve(
            refusing
              ? refuse('not-authorized', 'no', 'test')
              : { allow: true, identity, data: undefined, expiresAtMs: 0 },
          ),
      });
      const watcher = await broker.connect('w');
      await watcher.subscribe('#');
      refusing = true;
      const client = broker.open(version);
      await client.connect('c', { will: will('gone', 'x', { retain: true }) });
      await client.cut();
      await broker.advance(60_000);
      await watcher.expectNothing();
    },
  );

  it('that lost its right before it was due is not published, nor retained', async () => {
    const broker = startTestBroker({ rules: RULES });
    const watcher = await broker.connect('w');
    await watcher.subscribe('#');
    const client = await broker.connect('c', { will: will('w/1', 'x', { retain: true }) });
    const delayed = await broker.connect('d', {
      properties: { sessionExpiryInterval: 600 },
      will: will('w/2', 'x', { properties: { willDelayInterval: 5 } }),
    });
    await delayed.cut();
    broker.access.replace(['allow subscribe #', 'allow publish ok/#']);
    await client.cut();
    await broker.advance(10_000);
    await watcher.expectNothing();
    const late = await broker.connect('late');
    await late.subscribe('#');
    await late.expectNothing();
    expect(broker.events.filter((event) => event.name === 'will.refused')).toHaveLength(2);
  });

  it('to the broker’s own topics needs the right like any other', async () => {
    const broker = startTestBroker({ rules: ['allow all #'] });
    for (const topic of ['$SYS/broker/x', '$CONTROL/dynamic-security/v1', '$share/g/a']) {
      const client = broker.open(4);
      expect((await client.connect('c', { will: will(topic, 'x') })).reasonCode).toBe(5);
    }
  });

  it('is retained within the limits of retained messages', async () => {
    const broker = startTestBroker({ limits: { retainedMessagesMax: 3 } });
    for (let n = 0; n < 10; n++) {
      await (await broker.connect(`c${n}`, { will: will(`w/${n}`, 'x', { retain: true }) })).cut();
    }
    const late = await broker.connect('late');
    await late.subscribe('w/#');
    expect(await late.receiveAll()).toHaveLength(3);
  });

  it('receivers are asked too: it reaches nobody who may not have its topic', async () => {
    const broker = startTestBroker({ rules: ['allow publish #', 'allow subscribe #', 'deny receive w/#'] });
    const watcher = await broker.connect('w');
    await watcher.subscribe('#');
    await (await broker.connect('c', { will: will('w/1', 'x') })).cut();
    await watcher.expectNothing();
  });
});
