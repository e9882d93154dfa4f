// Races when a client reconnects (CVE-2025-59946, CVE-2025-65953, CVE-2026-32134): one identifier, a thousand connections,
// and never a delivery to one that is gone.

import { describe, expect, it } from 'vitest';
import { type RawClient, SeededRandom, settle, startTestBroker } from '../harness/index.ts';

describe('one client identifier', () => {
  it.each([1, 2, 3])(
    '1,000 connections, clean and not, in bursts; one is left and it has the session (seed %i)',
    async (seed) => {
      const broker = startTestBroker();
      const random = new SeededRandom(seed);
      const publisher = await broker.connect('p');
      const clients: RawClient[] = [];
      for (let n = 0; n < 1_000; n++) {
        const version = random.uint32() % 2 === 0 ? 4 : 5;
        const client = broker.open(version);
        client.send(
          {
            type: 'connect',
            version,
            clientId: 'c',
            cleanStart: random.uint32() % 2 === 0,
            keepAlive: 0,
            properties: version === 5 ? { sessionExpiryInterval: random.uint32() % 2 === 0 ? 60 : 0 } : {},
          },
          {
            type: 'subscribe',
            packetId: 1,
            subscriptions: [{ filter: 'a', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
            properties: {},
          },
        );
        clients.push(client);
        if (random.uint32() % 5 === 0) publisher.publish('a', String(n), { qos: 1 });
        if (random.uint32() % 7 === 0) await client.cut();
        if (random.uint32() % 3 === 0) await settle();
      }
      await settle();
      expect(clients.filter((client) => !client.closed).length).toBeLessThanOrEqual(1);
      await publisher.receiveAll();
      const last = await broker.connect('c', { version: 4, cleanStart: false });
      await last.subscribe({ filter: 'b', qos: 1 });
      await last.receiveAll();
      await publisher.deliver('b', 'to the last one');
      const messages = await last.receiveAll();
      expect(messages).toMatchObject([{ type: 'publish', topic: 'b' }]);
      expect(broker.clients().filter(({ clientId }) => clientId === 'c')).toHaveLength(1);
    },
  );

  it('a take-over between the check and the answer of the store gives one connection the session', async () => {
    const broker = startTestBroker();
    const [one, other] = [broker.open(4), broker.open(4)];
    for (const client of [one, other]) {
      client.send({ type: 'connect', version: 4, clientId: 'c', cleanStart: false, keepAlive: 0, properties: {} });
    }
    await settle();
    expect([one.closed, other.closed]).toEqual([true, false]);
    await other.receive('connack');
    await other.ping();
  });
});
