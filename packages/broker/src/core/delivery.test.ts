import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../../../test/harness/index.ts';
import type { Store } from '../ports/store.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';

const KEPT = { sessionExpiryInterval: 600 };

/** A store whose queue is read as of the moment of asking, and whose answers come some turns later. */
function slowReader(turns: number): Store {
  let atOnce = false;
  const store = new MemoryStore({ defer: (run) => (atOnce ? run() : setImmediate(run)) });
  const read = store.readQueue.bind(store);
  store.readQueue = (key, afterSeq, max, callback) => {
    atOnce = true;
    read(key, afterSeq, max, (...answer) => {
      let left = turns;
      const wait = (): void => {
        left -= 1;
        if (left < 0) callback(...answer);
        else setImmediate(wait);
      };
      setImmediate(wait);
    });
    atOnce = false;
  };
  return store;
}

describe('a stored queue', () => {
  it.each([0, 1, 3, 8])('is read to its end by a store that takes %i turns longer', async (turns) => {
    const broker = startTestBroker({ store: slowReader(turns) });
    const [publisher, subscriber] = [
      await broker.connect('p'),
      await broker.connect('s', { cleanStart: false, properties: KEPT }),
    ];
    await subscriber.subscribe('a');
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const turnsPass = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) await turn();
    };
    for (let gap = 0; gap < 20; gap++) {
      const publish = (text: string): void => {
        publisher.ack('pubrel', publisher.publish('a', text, { qos: 2 }));
      };
      publish('first');
      const { packetId } = await subscriber.receive('publish');
      subscriber.ack('pubrec', packetId);
      await subscriber.receive('pubrel');
      subscriber.ack('pubcomp', packetId);
      await turnsPass(gap);
      publish('second');
      expect(await subscriber.takeMessages(1)).toEqual(['second']);
    }
  });

  it('is not poured out at once over a client that does not read', async () => {
    const broker = startTestBroker({ limits: { unsentBytesMax: 100_000 } });
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await away.subscribe('a');
    await away.cut();
    for (let n = 0; n < 50; n++) await publisher.deliver('a', 'x'.repeat(50_000));
    const back = broker.open(5);
    back.pause();
    const properties = KEPT;
    back.send({ type: 'connect', version: 5, clientId: 's', cleanStart: false, keepAlive: 0, properties });
    await broker.advance(0);
    const row = broker.clients().find(({ clientId }) => clientId === 's');
    expect(row?.unsentBytes).toBeLessThan(400_000);
    back.resume();
    await back.receive('connack');
    expect(await back.takeMessages(50)).toHaveLength(50);
  });

  it('gives up what may no longer be received, and says so', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const away = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await away.subscribe('a/#');
    await away.cut();
    await publisher.deliver('a/1', 'one');
    await publisher.deliver('a/2', 'two');
    broker.access.replace(['allow all #', 'deny receive a/1']);
    const back = await broker.connect('s', { cleanStart: false, properties: KEPT });
    await back.expectMessage('a/2', 'two');
    expect(broker.events.filter(({ name }) => name === 'session.dropped-message')).toMatchObject([{ topic: 'a/1' }]);
  });
});

describe('an outgoing alias', () => {
  it.each(Array.from({ length: 10 }, (_, at) => 124 + at))(
    '[MQTT-3.1.2-24] does not make a message too large for a client with Maximum Packet Size %i',
    async (maximumPacketSize) => {
      const broker = startTestBroker();
      const publisher = await broker.connect('p');
      const subscriber = await broker.connect('s', { properties: { maximumPacketSize, topicAliasMaximum: 30 } });
      await subscriber.subscribe({ filter: '#', qos: 0 });
      for (let length = 105; length < 128; length++) publisher.publish(`${length}`, 'x'.repeat(length));
      await subscriber.receiveAll();
      expect(subscriber.largestPacket).toBeLessThanOrEqual(maximumPacketSize);
    },
  );
});
