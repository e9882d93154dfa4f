// MQTT 3.1.1, 3.12 to 3.14: PINGREQ and DISCONNECT.

import { expect, it } from 'vitest';
import { startTestBroker, will } from '../../harness/index.ts';
import { connect, payloadsOf } from './clients.ts';

it('[MQTT-3.12.4-1] each PINGREQ gets a PINGRESP', async () => {
  const client = await connect(startTestBroker(), 'c');
  client.sendBytes('c0 00 '.repeat(50));
  expect((await client.receiveAll()).map((packet) => packet.type)).toEqual(new Array(50).fill('pingresp'));
});

it('[MQTT-3.12.4-1] also from a client that has acknowledged nothing', async () => {
  const broker = startTestBroker();
  const [client, publisher] = [await connect(broker, 'c'), await connect(broker, 'p')];
  await client.subscribe('a');
  for (let n = 0; n < 200; n++) publisher.publish('a', String(n), { qos: 1 });
  expect(payloadsOf(await client.receiveAll())).toHaveLength(100);
  await client.ping();
});

it('[MQTT-4.8.0-1] PINGREQ or DISCONNECT with a body ends the connection', async () => {
  const broker = startTestBroker();
  for (const hex of ['c0 01 00', 'e0 01 00']) {
    const client = await connect(broker, 'c');
    client.sendBytes(hex);
    await client.expectClosed();
  }
});

it('[MQTT-3.14.4-3] DISCONNECT ends the connection and takes the will with it; what follows is not read', async () => {
  const broker = startTestBroker();
  const watcher = await connect(broker, 'watcher');
  await watcher.subscribe('#');
  const client = await connect(broker, 'c', { will: will('w', 'x') });
  client.send({ type: 'disconnect', reasonCode: 0, properties: {} }, client.publication('a', 'too late'));
  await client.expectClosed();
  await watcher.expectNothing();
});
