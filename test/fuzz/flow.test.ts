// What fuzzing found about the flow of bytes, kept as cases of their own.

import { expect, it } from 'vitest';
import { frame, joined, startTestBroker, text } from '../harness/index.ts';

/** What these brokers may leave unsent to one peer, and the size of a chunk here. */
const CHUNK_BYTES = 128 * 1024;
const LIMITS = { unsentBytesMax: CHUNK_BYTES };

it('a client that asks without end and reads no answer is not read beyond what it may leave unsent', async () => {
  const broker = startTestBroker({ limits: LIMITS });
  const client = await broker.connect('deaf');
  client.pause();
  const pings = new Uint8Array(CHUNK_BYTES);
  for (let i = 0; i < pings.length; i += 2) pings[i] = 0xc0;
  for (let i = 0; i < 6; i++) client.sendBytes(pings);
  await broker.advance(0);
  expect(broker.clients()[0]?.unsentBytes).toBeLessThan(2.5 * CHUNK_BYTES);
  client.resume();
  await broker.advance(0);
  expect(broker.clients()[0]?.unsentBytes).toBe(0);
  expect((await client.receiveAll()).length).toBe(3 * CHUNK_BYTES);
});

it('a client that asks without end and reads no answer is ended by its keep-alive', async () => {
  const broker = startTestBroker({ limits: LIMITS });
  const client = await broker.connect('deaf', { keepAlive: 2 });
  client.pause();
  const pings = new Uint8Array(CHUNK_BYTES);
  for (let i = 0; i < pings.length; i += 2) pings[i] = 0xc0;
  for (let i = 0; i < 6; i++) client.sendBytes(pings);
  await broker.advance(3500);
  expect(broker.clients()).toEqual([]);
});

it('a stream of packets that never ends at a chunk border is no packet begun and not finished', async () => {
  const broker = startTestBroker({ limits: { partialPacketDeadlineMs: 1_000 } });
  const client = await broker.connect('steady');
  const publish = frame(0x30, text('a'), 0, 'aa'.repeat(50));
  client.sendBytes(publish.subarray(0, 20));
  for (let i = 0; i < 10; i++) {
    await broker.advance(400);
    client.sendBytes(joined([publish.subarray(20), publish.subarray(0, 20)]));
  }
  await broker.advance(0);
  expect(broker.clients()).toHaveLength(1);
  await broker.advance(1_500);
  expect(broker.clients()).toEqual([]);
});

it('answers that wait behind a commit are bounded like those that wait for the peer', async () => {
  const unsentBytesMax = 10_000;
  const broker = startTestBroker({ limits: { unsentBytesMax } });
  const client = await broker.connect('deaf', { version: 4 });
  client.pause();
  const releases = Buffer.alloc(200_000, Buffer.from('62020005', 'hex'));
  client.sendBytes(joined([frame(0x33, text('a'), '0001', 'aa'), releases]));
  await broker.advance(0);
  expect(broker.clients()[0]?.unsentBytes).toBeLessThan(2 * unsentBytesMax);
  client.resume();
  expect(await client.receiveAll()).toHaveLength(50_001);
});

it("[MQTT-3.1.2-22] a silence that was the busy broker's own is not held against a client", async () => {
  const broker = startTestBroker();
  const client = await broker.connect('steady', { keepAlive: 2 });
  await broker.advance(2_500);
  client.sendBytes('c0 00');
  broker.stall(3_000);
  await broker.advance(250);
  expect((await client.receive()).type).toBe('pingresp');
  // What is read during a long turn has the time of the tick before it.
  client.sendBytes('c0 00');
  await broker.advance(0);
  broker.stall(3_000);
  await broker.advance(2_500);
  expect((await client.receive()).type).toBe('pingresp');
  await client.expectNothing();
  await broker.advance(1_000);
  await client.expectDisconnected('keep-alive-timeout');
});

it('a flood of refused messages is counted in full, reported in part, and hides nothing', async () => {
  const broker = startTestBroker({ rules: ['allow publish good'] });
  const client = await broker.connect('flood');
  client.sendBytes(Buffer.alloc(8 * 5_000, Buffer.from(frame(0x30, text('bad'), 0))));
  await broker.advance(0);
  const reported = broker.events.filter(({ name }) => name === 'peer.refused');
  expect(reported).toHaveLength(101);
  expect(reported.at(-1)).toMatchObject({ clientId: 'flood', topic: 'bad', because: expect.stringMatching(/4900/) });
  client.sendBytes(joined([Buffer.alloc(8 * 5_000, Buffer.from(frame(0x30, text('bad'), 0))), '36 00']));
  await broker.advance(0);
  expect(client.closed).toBe(true);
  expect(broker.events.filter(({ name }) => name === 'peer.refused').at(-1)).toMatchObject({
    clientId: 'flood',
    packet: 'publish',
    reason: 'malformed-packet',
  });
});

it('a flood of messages that a full queue does not take is not a flood of log lines', async () => {
  const broker = startTestBroker({ limits: { queueMessagesMax: 1 } });
  const publisher = await broker.connect('p');
  const away = await broker.connect('s', { cleanStart: false, properties: { sessionExpiryInterval: 600 } });
  await away.subscribe('a');
  await away.cut();
  for (let round = 0; round < 10; round++) {
    publisher.send(...Array.from({ length: 90 }, () => publisher.publication('a', 'x', { qos: 1 })));
    await publisher.receiveAll();
  }
  await broker.advance(300);
  const lines = broker.events.filter(({ name }) => name === 'session.dropped-message');
  expect(lines.length).toBeLessThan(250);
  expect(lines).toContainEqual(expect.objectContaining({ why: expect.stringContaining('given up at once') }));
});
