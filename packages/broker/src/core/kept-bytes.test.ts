import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../../../test/harness/index.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const MIB = 1024 ** 2;

/** MiB in buffers that are still reachable. */
async function held(): Promise<number> {
  for (let n = 0; n < 6; n++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return process.memoryUsage().arrayBuffers / MIB;
}

describe('what is kept of a packet keeps not all that came with it', () => {
  it('an alias', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const before = await held();
    for (let n = 1; n <= 20; n++) {
      publisher.publish(`t${n}`, new Uint8Array(MIB - 100), { properties: { topicAlias: n } });
      await publisher.ping();
    }
    expect((await held()) - before).toBeLessThan(3);
  });

  it('a QoS 2 message with a property', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const before = await held();
    for (let n = 0; n < 50; n++) {
      const kept = publisher.publication('u', 'x', { qos: 2, properties: { contentType: 'a' } });
      publisher.send(kept, publisher.publication('u', new Uint8Array(500_000)));
      await publisher.receive('pubrec');
    }
    expect((await held()) - before).toBeLessThan(4);
  });

  it('a will', async () => {
    const broker = startTestBroker();
    const before = await held();
    for (let n = 0; n < 50; n++) {
      const client = broker.open(5);
      const properties = { correlationData: new Uint8Array([1, 2, 3]) };
      const will = { topic: 'a' as never, payload: new Uint8Array(1), qos: 0 as const, retain: false, properties };
      const clientId = `c${n}`;
      client.send(
        { type: 'connect', version: 5, clientId, cleanStart: true, keepAlive: 0, properties: {}, will },
        client.publication('u', new Uint8Array(500_000)),
      );
      await client.receiveAll();
    }
    expect(broker.clients()).toHaveLength(50);
    expect((await held()) - before).toBeLessThan(4);
  });

  it('a session that ended, which a remembered route still knows', async () => {
    const broker = startTestBroker();
    const before = await held();
    for (let n = 1; n <= 8; n++) {
      const client = await broker.connect(`c${n}`);
      await client.subscribe(`t${n}`);
      client.publish(`t${n}`, 'x');
      await client.receive('publish');
      for (let m = 0; m < 3; m++) {
        client.publish('u', new Uint8Array(MIB - 100), { qos: 2 });
        await client.receive('pubrec');
      }
      await client.cut();
    }
    expect((await held()) - before).toBeLessThan(5);
  });

  it('an MQTT 3 client may leave no more QoS 2 messages unreleased than are kept for one that is away', async () => {
    const broker = startTestBroker({ limits: { queueMessagesMax: 100 } });
    const client = await broker.connect('c', { version: 4 });
    client.send(...Array.from({ length: 101 }, (_, at) => client.publication('u', 'x', { qos: 2, packetId: at + 1 })));
    const answers = await client.receiveAll();
    expect(answers).toHaveLength(100);
    expect(client.closed).toBe(true);
    expect(broker.events).toContainEqual(expect.objectContaining({ rule: 'limits.queueMessagesMax' }));
  });
});
