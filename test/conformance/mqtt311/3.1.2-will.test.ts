// MQTT 3.1.1, 3.1.2.5 to 3.1.2.7 and 3.14.4: wills, and keep alive (3.1.2.10), which is one of the ways to one.

import { describe, expect, it } from 'vitest';
import { frame, type RawClient, startTestBroker, text, will } from '../../harness/index.ts';
import { connect, connectHeader4, KEPT } from './clients.ts';

async function withWatcher() {
  const broker = startTestBroker();
  const watcher = await connect(broker, 'watcher');
  await watcher.subscribe('will/#');
  return { broker, watcher };
}

describe('a will', () => {
  const ends: readonly { readonly title: string; readonly end: (client: RawClient) => Promise<void> }[] = [
    { title: 'the network fails', end: (client) => client.cut() },
    {
      title: '[MQTT-3.1.0-2] it sends a second CONNECT',
      end: async (client) => {
        client.sendBytes(frame(0x10, connectHeader4(0x02), text('c')));
        await client.expectClosed();
      },
    },
    {
      title: '[MQTT-3.14.1-1] it sends a DISCONNECT with wrong flags',
      end: async (client) => {
        client.sendBytes('e1 00');
        await client.expectClosed();
      },
    },
    {
      title: '[MQTT-4.8.0-1] it sends what is no packet',
      end: async (client) => {
        client.sendBytes('ff ff ff ff ff');
        await client.expectClosed();
      },
    },
  ];

  it.each(ends)('[MQTT-3.1.2-8] goes out when the connection ends: $title', async ({ end }) => {
    const { watcher, broker } = await withWatcher();
    const client = await connect(broker, 'c', { will: will('will/c', 'gone', { qos: 2 }) });
    await watcher.expectNothing();
    await end(client);
    expect(await watcher.expectMessage('will/c', 'gone')).toMatchObject({ qos: 2, retain: false, dup: false });
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.2-8] goes out when somebody else takes the client identifier', async () => {
    const { watcher, broker } = await withWatcher();
    await connect(broker, 'c', { will: will('will/c', 'taken') });
    await connect(broker, 'c');
    await watcher.expectMessage('will/c', 'taken');
  });

  it.each([0, 1, 2] as const)('[MQTT-3.1.2-8] with QoS %i arrives with it', async (qos) => {
    const { watcher, broker } = await withWatcher();
    const client = await connect(broker, 'c', { will: will('will/c', 'x', { qos }) });
    await client.cut();
    expect((await watcher.expectMessage('will/c', 'x')).qos).toBe(qos);
  });

  it('[MQTT-3.1.2-10] [MQTT-3.14.4-3] is forgotten after DISCONNECT', async () => {
    const { watcher, broker } = await withWatcher();
    const client = await connect(broker, 'c', { ...KEPT, will: will('will/c', 'x') });
    await client.disconnect();
    await watcher.expectNothing();
    const again = await connect(broker, 'c', KEPT);
    await again.cut();
    await broker.advance(3_600_000);
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.2-10] is forgotten once it was published', async () => {
    const { watcher, broker } = await withWatcher();
    const client = await connect(broker, 'c', { ...KEPT, will: will('will/c', 'x') });
    await client.cut();
    await watcher.expectMessage('will/c', 'x');
    const again = await connect(broker, 'c', KEPT);
    await again.cut();
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.2-12] that was not given is not published', async () => {
    const { watcher, broker } = await withWatcher();
    await watcher.subscribe('#');
    const client = await connect(broker, 'c');
    await client.cut();
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.2-16] without retain is an ordinary message', async () => {
    const { watcher, broker } = await withWatcher();
    await (await connect(broker, 'c', { will: will('will/c', 'x') })).cut();
    expect((await watcher.expectMessage('will/c', 'x')).retain).toBe(false);
    const late = await connect(broker, 'late');
    await late.subscribe('will/#');
    await late.expectNothing();
  });

  it('[MQTT-3.1.2-17] with retain is a retained message', async () => {
    const { watcher, broker } = await withWatcher();
    await (await connect(broker, 'c', { will: will('will/c', 'x', { retain: true, qos: 1 }) })).cut();
    expect((await watcher.expectMessage('will/c', 'x')).retain).toBe(false);
    const late = await connect(broker, 'late');
    await late.subscribe('will/#');
    expect(await late.expectMessage('will/c', 'x')).toMatchObject({ retain: true, qos: 1 });
  });

  it('with an empty message and retain clears the topic', async () => {
    const { broker } = await withWatcher();
    const client = await connect(broker, 'c', { will: will('will/c', '', { retain: true }) });
    await client.deliver('will/c', 'online', { retain: true });
    await client.cut();
    const late = await connect(broker, 'late');
    await late.subscribe('will/#');
    await late.expectNothing();
  });

  it('that may not be published: return code 5 and the end, and nothing goes out', async () => {
    const broker = startTestBroker({ rules: ['allow subscribe #', 'allow publish ok/#'] });
    const watcher = await connect(broker, 'watcher');
    await watcher.subscribe('#');
    const client = broker.open(4);
    expect((await client.connect('c', { will: will('secret', 'x') })).reasonCode).toBe(5);
    await client.expectClosed();
    await watcher.expectNothing();
    await (await connect(broker, 'c', { will: will('ok/1', 'x') })).cut();
    await watcher.expectMessage('ok/1', 'x');
  });
});

describe('keep alive', () => {
  it('[MQTT-3.1.2-24] after one and a half periods of silence the connection ends like a broken one', async () => {
    const { watcher, broker } = await withWatcher();
    const client = await connect(broker, 'c', { keepAlive: 2, will: will('will/c', 'silent') });
    await broker.advance(2900);
    await client.expectNothing();
    await broker.advance(400);
    await client.expectClosed();
    await watcher.expectMessage('will/c', 'silent');
  });

  it('[MQTT-3.1.2-24] any packet counts, not PINGREQ alone', async () => {
    const { broker } = await withWatcher();
    const client = await connect(broker, 'c', { keepAlive: 2 });
    const other = await connect(broker, 'other');
    await other.subscribe('a');
    for (let n = 0; n < 5; n++) {
      await broker.advance(2500);
      if (n % 2 === 0) client.publish('a', String(n));
      else await client.ping();
    }
    await other.receiveAll();
    await client.expectNothing();
  });

  it('[MQTT-3.1.2-24] half a packet is not one', async () => {
    const { broker } = await withWatcher();
    const client = await connect(broker, 'c', { keepAlive: 2 });
    await broker.advance(2000);
    client.sendBytes('30 05 00');
    await broker.advance(1500);
    await client.expectClosed();
  });

  it('what the broker sends does not keep a silent client alive', async () => {
    const { broker } = await withWatcher();
    const [client, publisher] = [await connect(broker, 'c', { keepAlive: 2 }), await connect(broker, 'p')];
    await client.subscribe('a');
    for (let n = 0; n < 4; n++) {
      publisher.publish('a', 'x');
      await broker.advance(1000);
    }
    await client.receiveAll();
    expect(client.closed).toBe(true);
  });

  it('0 turns it off', async () => {
    const { broker } = await withWatcher();
    const client = await connect(broker, 'c');
    await broker.advance(30 * 24 * 3600 * 1000);
    await client.ping();
  });
});
