// Shared and plain subscriptions on one client (CVE-2025-59947): each counts for itself, none for the other.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../harness/index.ts';

const payloads = (packets: readonly { type: string }[]): number =>
  packets.filter(({ type }) => type === 'publish').length;

describe('both kinds on one client', () => {
  it('are delivered, removed and dropped apart', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const [both, member] = [await broker.connect('both'), await broker.connect('member')];
    await both.subscribe(['a/#', '$share/g/a/#', '$share/h/a/#', '$share/g/a/+']);
    await member.subscribe('$share/g/a/#');
    for (let n = 0; n < 20; n++) publisher.publish('a/b', String(n));
    await publisher.ping();
    const [first, second] = [payloads(await both.receiveAll()), payloads(await member.receiveAll())];
    // Plain 20, group h 20, g at a/+ 20, g at a/# shared by two.
    expect([first + second, first >= 60, second > 0]).toEqual([80, true, true]);
    for (const filter of ['a/#', '$share/g/a/#', '$share/h/a/#', '$share/g/a/+', '$share/g/a/#'])
      await both.unsubscribe(filter);
    for (let n = 0; n < 20; n++) publisher.publish('a/b', String(n));
    await publisher.ping();
    await both.expectNothing();
    expect(payloads(await member.receiveAll())).toBe(20);
    await both.cut();
    await member.cut();
    publisher.publish('a/b', 'nobody');
    await publisher.ping();
    expect(broker.clients().map(({ subscriptions }) => subscriptions)).toEqual([0]);
  });

  it('members that come and go in the middle of a stream lose and double nothing of QoS 1', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const steady = await broker.connect('steady');
    await steady.subscribe({ filter: '$share/g/a', qos: 1 });
    const got: string[] = [];
    for (let n = 0; n < 200; n++) {
      const guest = await broker.connect('guest');
      await guest.subscribe([
        { filter: '$share/g/a', qos: 1 },
        { filter: 'other', qos: 0 },
      ]);
      await publisher.deliver('a', String(n));
      if (n % 2 === 0) await guest.cut();
      for (const client of [steady, guest]) {
        for (const packet of client.closed ? [] : await client.receiveAll()) {
          if (packet.type !== 'publish') continue;
          got.push(new TextDecoder().decode(packet.payload));
          client.ack('puback', packet.packetId);
        }
      }
      await guest.cut();
    }
    got.push(
      ...(await steady.receiveAll()).flatMap((packet) =>
        packet.type === 'publish' ? [new TextDecoder().decode(packet.payload)] : [],
      ),
    );
    expect(new Set(got).size).toBe(200);
  });
});
