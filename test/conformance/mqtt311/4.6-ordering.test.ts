// MQTT 3.1.1, 4.6 and 2.3.1: the order of messages, of what is sent again and of acknowledgements; identifiers after they
// have been once around.

import type { QoS } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../harness/index.ts';
import { connect, KEPT, payloadsOf } from './clients.ts';

/** Payloads `PUBLISHER NUMBER` as one list of numbers for each publisher. */
function byPublisher(payloads: readonly string[]): Map<string, number[]> {
  const lists = new Map<string, number[]>();
  for (const payload of payloads) {
    const [publisher = '', number] = payload.split(' ');
    lists.set(publisher, [...(lists.get(publisher) ?? []), Number(number)]);
  }
  return lists;
}

const COUNT = 300;
const IN_ORDER = Array.from({ length: COUNT }, (_, n) => n);

describe('messages', () => {
  it.each([0, 1, 2] as const)(
    '[MQTT-4.6.0-5] [MQTT-4.6.0-6] of two publishers arrive in the order of each, QoS %i, with a reconnect in the middle',
    async (qos: QoS) => {
      const broker = startTestBroker();
      const publishers = [await connect(broker, 'p1'), await connect(broker, 'p2')];
      let subscriber = await connect(broker, 's', KEPT);
      await subscriber.subscribe({ filter: 'a', qos });
      const got: string[] = [];
      for (let n = 0; n < COUNT; n++) {
        publishers.forEach((publisher, at) => {
          const packetId = n + 1;
          publisher.publish('a', `p${at} ${n}`, { qos, packetId });
          if (qos === 2) publisher.ack('pubrel', packetId);
        });
        if (n === 150) {
          for (const publisher of publishers) await publisher.receiveAll();
          got.push(...(await drain(subscriber, qos)));
          await subscriber.cut();
        }
        if (n === 200) {
          for (const publisher of publishers) await publisher.receiveAll();
          subscriber = await connect(broker, 's', KEPT);
        }
      }
      for (const publisher of publishers) await publisher.receiveAll();
      got.push(...(await drain(subscriber, qos)));
      for (const numbers of byPublisher(got).values()) {
        expect(numbers).toEqual(qos === 0 ? IN_ORDER.filter((n) => n <= 150 || n > 200) : IN_ORDER);
      }
    },
  );

  it('[MQTT-4.6.0-6] what waited for quota comes before what was published later', async () => {
    const broker = startTestBroker({ limits: { inFlightMax: 1 } });
    const publisher = await connect(broker, 'p');
    for (const fields of [{ version: 4 } as const, KEPT]) {
      const subscriber = await connect(broker, 'cleanStart' in fields ? 'kept' : 'clean', fields);
      await subscriber.subscribe('a');
      for (let n = 0; n < 30; n++) {
        await publisher.deliver('a', String(n), { qos: 1 });
        if (n % 3 === 2) expect(await subscriber.takeMessages(1)).toEqual([String((n - 2) / 3)]);
      }
      expect(await subscriber.takeMessages(20)).toEqual(Array.from({ length: 20 }, (_, n) => String(n + 10)));
      await subscriber.disconnect();
    }
  });

  it('[MQTT-4.6.0-6] sent again, they come in the order of the first time, and before what is new', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const first = await connect(broker, 's', KEPT);
    await first.subscribe({ filter: 'a', qos: 1 });
    for (let n = 0; n < 20; n++) await publisher.deliver('a', String(n));
    const sent = await first.receiveAll();
    for (const packet of sent.filter((_, at) => at % 3 === 0))
      if (packet.type === 'publish') first.ack('puback', packet.packetId);
    await first.cut();
    for (let n = 20; n < 25; n++) await publisher.deliver('a', String(n));
    const second = await connect(broker, 's', KEPT);
    await publisher.deliver('a', '25');
    const open = Array.from({ length: 20 }, (_, n) => n).filter((n) => n % 3 !== 0);
    expect(payloadsOf(await second.receiveAll()).map(Number)).toEqual([...open, 20, 21, 22, 23, 24, 25]);
  });

  it('[MQTT-4.6.0-6] PUBREL follows the order of PUBREC', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const first = await connect(broker, 's', KEPT);
    await first.subscribe('a');
    for (let n = 0; n < 5; n++) await publisher.deliver('a', String(n), { qos: 2 });
    const ids = (await first.receiveAll()).map((packet) => (packet.type === 'publish' ? packet.packetId : 0));
    for (const id of ids) first.ack('pubrec', id);
    expect((await first.receiveAll()).map((packet) => packet.type === 'pubrel' && packet.packetId)).toEqual(ids);
    await first.cut();
    const second = await connect(broker, 's', KEPT);
    expect((await second.receiveAll()).map((packet) => packet.type === 'pubrel' && packet.packetId)).toEqual(ids);
  });

  it('[MQTT-4.6.0-6] acknowledgements leave in the order of the messages they answer', async () => {
    const broker = startTestBroker();
    const away = await connect(broker, 'away', KEPT);
    await away.subscribe('stored');
    await away.cut();
    const publisher = await connect(broker, 'p');
    const packets = Array.from({ length: 40 }, (_, n) =>
      publisher.publication(n % 3 === 0 ? 'stored' : 'free', 'x', { qos: n % 2 === 0 ? 1 : 2, packetId: n + 1 }),
    );
    publisher.send(...packets);
    const acks = await publisher.receiveAll();
    const idsOf = (type: string) =>
      acks.flatMap((packet) => (packet.type === type && 'packetId' in packet ? [packet.packetId] : []));
    expect(idsOf('puback')).toEqual(Array.from({ length: 20 }, (_, n) => 2 * n + 1));
    expect(idsOf('pubrec')).toEqual(Array.from({ length: 20 }, (_, n) => 2 * n + 2));
  });
});

describe('identifiers once around', () => {
  const TURN = 65_535;
  const BATCH = 60;

  /** Sends `count` messages of which the subscriber acknowledges all but those named. */
  async function around(kept: boolean) {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const subscriber = await connect(broker, 's', kept ? KEPT : {});
    await subscriber.subscribe({ filter: 'a', qos: 1 });
    const open = new Map<number, string>();
    let next = 0;
    const send = async (count: number, keepOpen: (n: number) => boolean): Promise<void> => {
      for (let done = 0; done < count; ) {
        const batch = Math.min(BATCH, count - done);
        publisher.send(
          ...Array.from({ length: batch }, (_, at) => publisher.publication('a', String(next + at), { qos: 1 })),
        );
        const packets = await subscriber.receiveAll();
        await publisher.receiveAll();
        if (packets.length !== batch) throw new Error(`${packets.length} of ${batch} messages came`);
        for (const packet of packets) {
          if (packet.type !== 'publish') throw new Error(`got ${packet.type}`);
          const payload = new TextDecoder().decode(packet.payload);
          if (payload !== String(next)) throw new Error(`${payload} came instead of ${next}`);
          if (packet.packetId < 1 || open.has(packet.packetId))
            throw new Error(`identifier ${packet.packetId} is in use`);
          if (keepOpen(next)) open.set(packet.packetId, payload);
          else subscriber.ack('puback', packet.packetId);
          next += 1;
        }
        done += batch;
      }
    };
    return { broker, publisher, subscriber, open, send };
  }

  it.each([true, false])('[MQTT-2.3.1-4] those that are open are passed over (session kept: %s)', async (kept) => {
    const { subscriber, open, send } = await around(kept);
    await send(BATCH, (n) => n % 7 === 3);
    await send(TURN + 200, () => false);
    expect(open.size).toBe(9);
    await subscriber.ping();
  });

  it('[MQTT-2.3.1-4] [MQTT-4.4.0-1] those of messages queued while the client was away do not meet open ones', async () => {
    const { broker, publisher, subscriber, open, send } = await around(true);
    await send(BATCH, (n) => n === 10 || n === 11);
    await send(TURN - BATCH, () => false);
    await subscriber.cut();
    for (let n = 0; n < 40; n++) await publisher.deliver('a', `away ${n}`);
    const again = await connect(broker, 's', KEPT);
    const got: string[] = [];
    const inUse = new Set<number>();
    for (let packets = await again.receiveAll(); packets.length > 0; packets = await again.receiveAll()) {
      for (const packet of packets) {
        if (packet.type !== 'publish') continue;
        expect([packet.packetId, inUse.has(packet.packetId)]).toEqual([packet.packetId, false]);
        inUse.add(packet.packetId);
        got.push(new TextDecoder().decode(packet.payload));
      }
      for (const packetId of inUse) again.ack('puback', packetId);
      inUse.clear();
    }
    expect(got).toEqual([...open.values(), ...Array.from({ length: 40 }, (_, n) => `away ${n}`)]);
  });
});

async function drain(subscriber: Awaited<ReturnType<typeof connect>>, qos: QoS): Promise<string[]> {
  const payloads: string[] = [];
  for (let packets = await subscriber.receiveAll(); packets.length > 0; packets = await subscriber.receiveAll()) {
    payloads.push(...payloadsOf(packets));
    for (const packet of packets) {
      if (packet.type === 'publish' && qos > 0) subscriber.ack(qos === 1 ? 'puback' : 'pubrec', packet.packetId);
      if (packet.type === 'pubrel') subscriber.ack('pubcomp', packet.packetId);
    }
  }
  return payloads;
}
