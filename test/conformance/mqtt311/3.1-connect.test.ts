// MQTT 3.1.1, 3.1: the CONNECT packet, byte by byte. What a session or a will does is in 3.1.2-*.test.ts.

import type { ProtocolVersion } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { frame, type Part, startTestBroker, text, uint16 } from '../../harness/index.ts';
import { connect, connectHeader4 } from './clients.ts';

/** Everything the broker sends is checked as bytes: a wrong CONNACK could be of any version. */
async function answerTo(packet: Uint8Array, version: ProtocolVersion = 4): Promise<readonly [string, boolean]> {
  const broker = startTestBroker();
  const client = broker.open(version);
  client.sendBytes(packet);
  const [first, ...rest] = await client.receiveAll();
  expect(rest).toEqual([]);
  return [
    first === undefined ? 'nothing' : `${first.type} ${'reasonCode' in first ? first.reasonCode : ''}`,
    client.closed,
  ];
}

const END = ['nothing', true] as const;

describe('the first packet', () => {
  it.each([
    ['PUBLISH', '30 04 00 01 61 78'],
    ['PUBLISH with QoS 1', '32 06 00 01 61 00 01 78'],
    ['PUBACK', '40 02 00 01'],
    ['PUBREL', '62 02 00 01'],
    ['SUBSCRIBE', '82 06 00 01 00 01 61 00'],
    ['UNSUBSCRIBE', 'a2 05 00 01 00 01 61'],
    ['PINGREQ', 'c0 00'],
    ['DISCONNECT', 'e0 00'],
    ['CONNACK', '20 02 00 00'],
  ])('[MQTT-3.1.0-1] a connection that starts with %s is closed without a word', async (_name, hex) => {
    const broker = startTestBroker();
    const watcher = await connect(broker, 'watcher');
    await watcher.subscribe('#');
    const client = broker.open(4);
    client.sendBytes(hex);
    await client.expectClosed();
    await watcher.expectNothing();
  });

  it('[MQTT-3.1.0-2] a second CONNECT ends the connection and nobody else’s', async () => {
    const broker = startTestBroker();
    const other = await connect(broker, 'other');
    for (const name of ['client', 'other']) {
      const client = await connect(broker, 'client');
      client.sendBytes(frame(0x10, connectHeader4(0x02), text(name)));
      await client.expectClosed();
    }
    await other.ping();
  });
});

describe('protocol name and level', () => {
  it.each(['MQTX', 'mqtt', 'MQTT ', 'MQTTT', ''])(
    '[MQTT-3.1.2-1] the protocol name "%s" is never served as MQTT 3.1.1',
    async (name) => {
      const [answer, closed] = await answerTo(frame(0x10, text(name), 4, 2, uint16(0), text('c')));
      expect(['nothing', 'connack 1']).toContain(answer);
      expect(closed).toBe(true);
    },
  );

  it.each([0, 1, 2, 0x84])('[MQTT-3.1.2-2] level %i gets return code 1 and the end', async (level) => {
    expect(await answerTo(frame(0x10, text('MQTT'), level, 2, uint16(0), text('c')))).toEqual(['connack 1', true]);
  });

  it('[MQTT-3.1.2-2] a level of the future gets the code for it in the newest form there is', async () => {
    const packet = frame(0x10, text('MQTT'), 6, 2, uint16(0), 0, text('c'));
    expect(await answerTo(packet, 5)).toEqual(['connack 132', true]);
  });

  it('[MQTT-3.1.2-1] name and level of different versions do not go together', async () => {
    const mixed = await answerTo(frame(0x10, text('MQIsdp'), 4, 2, uint16(0), text('c')));
    expect(mixed).toEqual(['connack 1', true]);
    expect(await answerTo(frame(0x10, text('MQTT'), 3, 2, uint16(0), text('c')))).toEqual(['connack 1', true]);
  });
});

describe('connect flags and payload', () => {
  const cases: readonly { readonly title: string; readonly flags: number; readonly payload: readonly Part[] }[] = [
    { title: '[MQTT-3.1.2-3] the reserved flag', flags: 0x03, payload: [text('c')] },
    { title: '[MQTT-3.1.2-9] a will flag without will topic and message', flags: 0x06, payload: [text('c')] },
    { title: '[MQTT-3.1.2-9] a will flag without will message', flags: 0x06, payload: [text('c'), text('w')] },
    {
      title: '[MQTT-3.1.2-11] will topic and message without the will flag',
      flags: 0x02,
      payload: [text('c'), text('w'), text('x')],
    },
    { title: '[MQTT-3.1.2-11] [MQTT-3.1.2-13] will QoS 1 without a will', flags: 0x0a, payload: [text('c')] },
    { title: '[MQTT-3.1.2-11] [MQTT-3.1.2-13] will QoS 2 without a will', flags: 0x12, payload: [text('c')] },
    { title: '[MQTT-3.1.2-13] will QoS 3 without a will', flags: 0x1a, payload: [text('c')] },
    { title: '[MQTT-3.1.2-14] will QoS 3', flags: 0x1e, payload: [text('c'), text('w'), text('x')] },
    { title: '[MQTT-3.1.2-11] [MQTT-3.1.2-15] will retain without a will', flags: 0x22, payload: [text('c')] },
    { title: '[MQTT-3.1.2-18] a user name without its flag', flags: 0x02, payload: [text('c'), text('u')] },
    { title: '[MQTT-3.1.2-19] a user name flag without user name', flags: 0x82, payload: [text('c')] },
    { title: '[MQTT-3.1.2-20] a password without its flag', flags: 0x82, payload: [text('c'), text('u'), text('p')] },
    { title: '[MQTT-3.1.2-21] a password flag without password', flags: 0xc2, payload: [text('c'), text('u')] },
    { title: '[MQTT-3.1.2-22] a password without a user name', flags: 0x42, payload: [text('c'), text('p')] },
    { title: '[MQTT-3.1.3-3] no client identifier', flags: 0x02, payload: [] },
    { title: '[MQTT-3.1.3-3] half a client identifier', flags: 0x02, payload: [uint16(5), 0x61] },
    {
      title: '[MQTT-3.1.3-1] fields that end in the middle',
      flags: 0xc6,
      payload: [text('c'), text('w'), text('x'), text('u'), uint16(9)],
    },
    { title: '[MQTT-3.1.4-1] bytes behind the payload', flags: 0x02, payload: [text('c'), 0] },
  ];

  it.each(cases)('[MQTT-3.1.4-1] [MQTT-3.2.2-6] $title: end, and not one byte is sent', async ({ flags, payload }) => {
    expect(await answerTo(frame(0x10, connectHeader4(flags), ...payload))).toEqual(END);
  });

  it('[MQTT-3.1.4-1] [MQTT-3.2.2-6] a CONNECT that ends anywhere too soon gets no CONNACK', async () => {
    const whole = frame(0x10, connectHeader4(0xce), text('c'), text('w'), text('x'), text('u'), text('p')).subarray(2);
    for (let length = 0; length < whole.length; length++) {
      const client = startTestBroker().open(4);
      client.sendBytes(frame(0x10, whole.subarray(0, length)));
      await client.expectClosed();
    }
    expect(await answerTo(frame(0x10, whole))).toEqual(['connack 0', false]);
  });

  it('[MQTT-3.1.3-1] [MQTT-3.1.2-19] [MQTT-3.1.2-21] all five fields are read in their order', async () => {
    const seen: unknown[] = [];
    const identity = { realm: 'test', name: 'u', kind: 'user', roles: [] } as const;
    const broker = startTestBroker({
      authenticate: ({ clientId, userName, password }) => {
        seen.push([clientId, userName, password === undefined ? undefined : new TextDecoder().decode(password)]);
        return Promise.resolve({ allow: true, identity, data: undefined, expiresAtMs: 0 });
      },
    });
    const watcher = await connect(broker, 'watcher');
    await watcher.subscribe('#');
    const client = broker.open(4);
    client.sendBytes(frame(0x10, connectHeader4(0xc6), text('id'), text('wt'), text('wm'), text('un'), text('pw')));
    await client.receive('connack');
    expect(seen[1]).toEqual(['id', 'un', 'pw']);
    await client.cut();
    await watcher.expectMessage('wt', 'wm');
  });

  it('[MQTT-3.1.2-18] [MQTT-3.1.2-20] without the flags there is neither user name nor password', async () => {
    const seen: unknown[] = [];
    const identity = { realm: 'test', name: 'u', kind: 'user', roles: [] } as const;
    const broker = startTestBroker({
      authenticate: ({ userName, password }) => {
        seen.push([userName, password?.length]);
        return Promise.resolve({ allow: true, identity, data: undefined, expiresAtMs: 0 });
      },
    });
    await connect(broker, 'c');
    await connect(broker, 'd', { userName: '', password: new Uint8Array(0) });
    expect(seen).toEqual([
      [undefined, undefined],
      ['', 0],
    ]);
  });
});

describe('client identifier', () => {
  it('[MQTT-3.1.3-5] 1 to 23 letters and digits are accepted', async () => {
    const broker = startTestBroker();
    const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
    for (const clientId of [...alphabet, alphabet.slice(0, 23), alphabet.slice(23, 46), alphabet.slice(39)]) {
      await (await connect(broker, clientId)).ping();
    }
  });

  it('[MQTT-3.1.3-2] two identifiers are two sessions, each with its own messages', async () => {
    const broker = startTestBroker();
    const kept = { version: 4, cleanStart: false } as const;
    for (const clientId of ['one', 'two']) {
      const client = await connect(broker, clientId, kept);
      await client.subscribe(`for/${clientId}`);
      await client.disconnect();
    }
    const publisher = await connect(broker, 'p');
    await publisher.deliver('for/one', '1');
    await publisher.deliver('for/two', '2');
    const two = await connect(broker, 'two', kept);
    expect(await two.takeMessages(1)).toEqual(['2']);
    const one = await connect(broker, 'one', kept);
    expect(await one.takeMessages(1)).toEqual(['1']);
    await one.expectNothing();
    await two.expectNothing();
  });

  it('[MQTT-3.1.3-6] an empty one is replaced by one of its own: two such clients live side by side', async () => {
    const broker = startTestBroker();
    const clients = [await connect(broker, ''), await connect(broker, ''), await connect(broker, '')];
    for (const client of clients) await client.subscribe('a');
    const publisher = await connect(broker, '');
    await publisher.deliver('a', 'x');
    for (const client of clients) expect(await client.takeMessages(1)).toEqual(['x']);
    const ids = broker.events.flatMap((event) => (event.name === 'client.connected' ? [event.clientId] : []));
    expect(new Set(ids).size).toBe(4);
  });

  it('[MQTT-3.1.3-8] [MQTT-3.2.2-5] an empty one without clean session gets return code 2 and the end', async () => {
    expect(await answerTo(frame(0x10, connectHeader4(0x00), text('')))).toEqual(['connack 2', true]);
  });

  it('[MQTT-3.1.3-9] one that belongs to another device gets return code 2 and the end', async () => {
    const broker = startTestBroker({
      identities: () => ({ realm: 'ca:motte', name: 'pump-1', kind: 'device', roles: [] }),
      listener: { clientIds: 'own' },
    });
    for (const clientId of ['pump-2', 'pump-10', 'pump-1x', 'PUMP-1', 'pump-2/pump-1']) {
      const client = broker.open(4);
      expect((await client.connect(clientId)).reasonCode).toBe(2);
      await client.expectClosed();
    }
    for (const clientId of ['pump-1', 'pump-1/panel', '']) await (await connect(broker, clientId)).ping();
  });
});
