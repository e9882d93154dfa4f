// Slow attacks (CVE-2020-13849 SlowITe, CVE-2023-5632): every wait has an end that the server sets.

import { describe, expect, it } from 'vitest';
import { bytesOf, startTestBroker } from '../harness/index.ts';

describe('a peer that takes its time', () => {
  it('before CONNECT, silent: closed at the deadline', async () => {
    const broker = startTestBroker();
    const client = broker.open(4);
    await broker.advance(9_900);
    await client.expectNothing();
    await broker.advance(200);
    await client.expectClosed();
  });

  it('in the middle of CONNECT, a byte now and then: closed at the same deadline', async () => {
    const broker = startTestBroker();
    const client = broker.open(4);
    for (const byte of bytesOf('10 20 00 04 4d 51 54 54 04 02 ff ff')) {
      client.sendBytes(Uint8Array.of(byte));
      await broker.advance(1_000);
    }
    await client.expectClosed();
  });

  it.each([0, 65_535])('in the middle of a packet, keep alive %i: closed at the deadline', async (keepAlive) => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { version: 4, keepAlive });
    client.sendBytes('30 80 02 00 01 61');
    for (let n = 0; n < 14; n++) {
      await broker.advance(1_000);
      client.sendBytes('00');
    }
    await client.expectNothing();
    await broker.advance(2_000);
    await client.expectClosed();
  });

  it('many small packets without a pause are not one that is never finished', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { version: 4 });
    // Each chunk ends in the middle of a packet that the next one finishes.
    client.sendBytes('c0');
    for (let n = 0; n < 40; n++) {
      await broker.advance(1_000);
      client.sendBytes('00 c0');
    }
    expect((await client.receiveAll()).map((packet) => packet.type)).toEqual(new Array(40).fill('pingresp'));
    expect(client.closed).toBe(false);
  });

  it('with the longest keep alive, where the operator set a shorter one: MQTT 5.0 is told and held to it', async () => {
    const broker = startTestBroker({ limits: { keepAliveSecondsMax: 60 } });
    for (const keepAlive of [0, 65_535]) {
      const client = await broker.connect('c', { keepAlive });
      expect(client.connack?.properties.serverKeepAlive).toBe(60);
      await broker.advance(91_000);
      await client.expectDisconnected('keep-alive-timeout');
    }
  });

  it('during enhanced authentication: closed at the deadline', async () => {
    const broker = startTestBroker({
      authenticate: () =>
        Promise.resolve({
          allow: 'challenge',
          data: new Uint8Array(1),
          next: () => new Promise(() => undefined),
        } as never),
    });
    const client = broker.open(5);
    client.send({
      type: 'connect',
      version: 5,
      clientId: 'c',
      cleanStart: true,
      keepAlive: 0,
      properties: { authenticationMethod: 'm' },
    });
    expect((await client.receive()).type).toBe('auth');
    await broker.advance(11_000);
    const packets = await client.receiveAll();
    expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode >= 0x80)).toBe(true);
    expect(client.closed).toBe(true);
  });
});
