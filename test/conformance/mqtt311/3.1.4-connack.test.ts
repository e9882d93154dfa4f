// MQTT 3.1.1, 3.1.4 and 3.2: accepting and refusing, and what the CONNACK says.

import { describe, expect, it } from 'vitest';
import { refuse } from '../../../packages/broker/src/ports/verdict.ts';
import { bytesOf, frame, joined, startTestBroker, text } from '../../harness/index.ts';
import { connect, connectHeader4, KEPT } from './clients.ts';

const IDENTITY = { realm: 'test', name: 'x', kind: 'user', roles: [] } as const;

/** A broker whose guards take everyone until `refuse` is called. */
function guarded(reason: 'bad-user-name-or-password' | 'not-authorized' | 'server-unavailable' = 'not-authorized') {
  let refusing = false;
  const broker = startTestBroker({
    authenticate: () =>
      Promise.resolve(
        refusing
          ? refuse(reason, 'the test says no', 'test')
          : { allow: true, identity: IDENTITY, data: undefined, expiresAtMs: 0 },
      ),
  });
  return {
    broker,
    refuse: (value: boolean) => {
      refusing = value;
    },
  };
}

describe('accepting', () => {
  it('[MQTT-3.1.4-4] [MQTT-3.2.2-1] the smallest CONNECT there is gets return code 0', async () => {
    const client = startTestBroker().open(4);
    client.sendBytes('10 0c 00 04 4d 51 54 54 04 02 00 00 00 00');
    expect(await client.receiveAll()).toMatchObject([{ type: 'connack', sessionPresent: false, reasonCode: 0 }]);
    expect(client.closed).toBe(false);
  });

  it('[MQTT-3.1.4-4] byte by byte it is the same', async () => {
    const client = startTestBroker().open(4);
    for (const byte of frame(0x10, connectHeader4(0x02), text('c'))) client.sendBytes(Uint8Array.of(byte));
    expect((await client.receive('connack')).reasonCode).toBe(0);
  });

  it('[MQTT-3.2.0-1] what is sent right behind CONNECT is answered after the CONNACK', async () => {
    const client = startTestBroker().open(4);
    client.sendBytes(
      joined([
        frame(0x10, connectHeader4(0x02), text('c')),
        '82 06 00 01 00 01 61 01',
        '32 06 00 01 61 00 07 78',
        'c0 00',
      ]),
    );
    const types = (await client.receiveAll()).map((packet) => packet.type);
    expect(types[0]).toBe('connack');
    expect(types.slice(1).sort()).toEqual(['pingresp', 'puback', 'publish', 'suback']);
  });

  it('[MQTT-3.2.0-1] with a full queue and a retained message waiting, CONNACK is the first packet', async () => {
    const broker = startTestBroker();
    const publisher = await connect(broker, 'p');
    const first = await connect(broker, 's', KEPT);
    await first.subscribe('a');
    await first.disconnect();
    for (let n = 0; n < 50; n++) await publisher.deliver('a', String(n));
    const second = broker.open(4);
    second.send({ type: 'connect', ...KEPT, clientId: 's', keepAlive: 0, properties: {} });
    const packets = await second.receiveAll();
    expect(packets[0]).toMatchObject({ type: 'connack', sessionPresent: true });
    expect(packets.slice(1).every((packet) => packet.type === 'publish')).toBe(true);
    expect(packets).toHaveLength(51);
  });

  it('[MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3] session present over clean session and stored state', async () => {
    const broker = startTestBroker();
    for (const stored of [false, true]) {
      for (const cleanStart of [false, true]) {
        const clientId = `${stored} ${cleanStart}`;
        if (stored) await (await connect(broker, clientId, KEPT)).disconnect();
        const { connack } = await connect(broker, clientId, { cleanStart });
        expect([clientId, connack?.sessionPresent]).toEqual([clientId, stored && !cleanStart]);
      }
    }
  });
});

describe('refusing', () => {
  it.each([
    ['bad-user-name-or-password', 4],
    ['not-authorized', 5],
    ['server-unavailable', 3],
  ] as const)('[MQTT-3.2.2-5] %s gets return code %i and the end', async (reason, code) => {
    const { broker, refuse: setRefusing } = guarded(reason);
    setRefusing(true);
    const client = broker.open(4);
    expect(await client.connect('c')).toMatchObject({ reasonCode: code, sessionPresent: false });
    await client.expectClosed();
  });

  it('[MQTT-3.2.2-4] [MQTT-3.2.2-5] says nothing of a session that is there, and leaves it alone', async () => {
    const { broker, refuse: setRefusing } = guarded();
    const first = await connect(broker, 'c', KEPT);
    await first.subscribe('a');
    setRefusing(true);
    const second = broker.open(4);
    expect(await second.connect('c', { cleanStart: false })).toMatchObject({ reasonCode: 5, sessionPresent: false });
    await second.expectClosed();
    const third = broker.open(4);
    expect((await third.connect('c')).reasonCode).toBe(5);
    await first.ping();
    await first.disconnect();
    setRefusing(false);
    expect((await connect(broker, 'c', KEPT)).connack?.sessionPresent).toBe(true);
  });

  it('[MQTT-3.1.4-5] nothing behind a refused CONNECT is worked on', async () => {
    const { broker, refuse: setRefusing } = guarded();
    const watcher = await connect(broker, 'watcher');
    await watcher.subscribe('#');
    setRefusing(true);
    const client = broker.open(4);
    client.sendBytes(
      joined([
        frame(0x10, connectHeader4(0x02), text('c')),
        '82 06 00 01 00 01 61 00',
        '33 06 00 01 61 00 01 78',
        '34 06 00 01 61 00 02 78',
        '62 02 00 02',
        'c0 00',
      ]),
    );
    expect(await client.receiveAll()).toMatchObject([{ type: 'connack', reasonCode: 5 }]);
    expect(client.closed).toBe(true);
    await watcher.expectNothing();
    setRefusing(false);
    const late = await connect(broker, 'late');
    await late.subscribe('#');
    await late.expectNothing();
  });

  it('[MQTT-3.2.2-6] what no return code fits gets none', async () => {
    const broker = startTestBroker();
    for (const hex of ['10 00', '10 02 00 04', '10 80 80 80 80 01', '10 ff ff 7f']) {
      const client = broker.open(4);
      client.sendBytes(bytesOf(hex));
      await client.expectClosed();
    }
  });

  it('[MQTT-3.2.2-6] a broker that is told to stop says so with a code or with none, and never 0', async () => {
    const broker = startTestBroker();
    const client = await connect(broker, 'c');
    await broker.stop();
    await client.expectClosed();
    const late = broker.open(4);
    late.sendBytes(frame(0x10, connectHeader4(0x02), text('d')));
    const packets = await late.receiveAll();
    expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode === 3)).toBe(true);
    expect(late.closed).toBe(true);
  });
});
