// MQTT 5.0, 3.15 and 4.12: AUTH and enhanced authentication, with a method made for the test: the client proves itself
// by sending back each number plus one.

import { describe, expect, it } from 'vitest';
import type { Authentication, Evidence } from '../../../packages/broker/src/ports/guards.ts';
import { refuse } from '../../../packages/broker/src/ports/verdict.ts';
import { frame, type RawClient, startTestBroker, type TestBroker } from '../../harness/index.ts';

const METHOD = 'plus-one';
const WITH_METHOD = { authenticationMethod: METHOD };
const PROVEN = {
  allow: true,
  identity: { realm: 'test', name: 'ada', kind: 'user', roles: ['lab'] },
  data: undefined,
  expiresAtMs: 0,
} as const;

function ask(rounds: number, number: number): Authentication {
  if (rounds === 0) return { ...PROVEN, data: Uint8Array.of(0xff) };
  return {
    allow: 'challenge',
    data: Uint8Array.of(number),
    respond: (data) =>
      Promise.resolve(
        data?.[0] === number + 1 ? ask(rounds - 1, number * 2) : refuse('not-authorized', 'wrong', 'test'),
      ),
  };
}

/** Without a method everybody is let in; "plus-one" takes two rounds, and only one when it is repeated. */
function brokerWithMethod(): TestBroker {
  const seen = new Set<string>();
  return startTestBroker({
    authenticate: ({ method, clientId }: Evidence): Promise<Authentication> => {
      if (method === undefined) return Promise.resolve(PROVEN);
      if (method !== METHOD) return Promise.resolve(refuse('bad-authentication-method', 'not known', 'test'));
      const rounds = seen.has(clientId) ? 1 : 2;
      seen.add(clientId);
      return Promise.resolve(ask(rounds, 10));
    },
  });
}

function start(broker: TestBroker, method = METHOD): RawClient {
  const client = broker.open();
  const properties = { authenticationMethod: method };
  client.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties });
  return client;
}

function answer(client: RawClient, number: number, reasonCode = 0x18, method = METHOD): void {
  const properties = { authenticationMethod: method, authenticationData: Uint8Array.of(number) };
  client.send({ type: 'auth', reasonCode, properties });
}

async function proven(broker: TestBroker): Promise<RawClient> {
  const client = start(broker);
  await client.receive('auth');
  answer(client, 11);
  await client.receive('auth');
  answer(client, 21);
  expect((await client.receive('connack')).reasonCode).toBe(0);
  return client;
}

describe('enhanced authentication at CONNECT', () => {
  it('[MQTT-4.12.0-2] [MQTT-4.12.0-5] [MQTT-3.15.2-1] goes through its rounds with 0x18 and the method in each', async () => {
    const client = start(brokerWithMethod());
    for (const [challenge, response] of [
      [10, 11],
      [20, 21],
    ] as const) {
      const auth = await client.receive('auth');
      expect(auth).toMatchObject({ reasonCode: 0x18, properties: { authenticationMethod: METHOD } });
      expect([...(auth.properties.authenticationData ?? [])]).toEqual([challenge]);
      expect(auth.properties.reasonString).toBeUndefined();
      answer(client, response);
    }
    const connack = await client.receive('connack');
    expect(connack).toMatchObject({ reasonCode: 0, properties: { authenticationMethod: METHOD } });
    expect([...(connack.properties.authenticationData ?? [])]).toEqual([0xff]);
  });

  it('[MQTT-3.15.2-2] [MQTT-3.15.2-3] AUTH fits the Maximum Packet Size of the CONNECT', async () => {
    const client = brokerWithMethod().open();
    const properties = { ...WITH_METHOD, maximumPacketSize: 30 };
    client.send({ type: 'connect', version: 5, clientId: 'c', cleanStart: true, keepAlive: 0, properties });
    const auth = await client.receive('auth');
    expect(Object.keys(auth.properties).sort()).toEqual(['authenticationData', 'authenticationMethod']);
  });

  it('[MQTT-4.12.0-1] an unknown method is refused', async () => {
    const client = start(brokerWithMethod(), 'unheard-of');
    await client.expectRefused('bad-authentication-method', 'not-authorized');
  });

  it('[MQTT-4.12.0-1] so is any method where the broker knows none', async () => {
    const client = start(startTestBroker(), 'unheard-of');
    await client.expectRefused('bad-authentication-method', 'not-authorized');
  });

  it('[MQTT-4.12.0-4] a wrong answer ends the connection', async () => {
    const client = start(brokerWithMethod());
    await client.receive('auth');
    answer(client, 99);
    await client.expectRefused('not-authorized');
  });

  it.each([0x19, 0x00])('[MQTT-4.12.0-3] an answer with the code 0x%x ends the connection', async (code) => {
    const client = start(brokerWithMethod());
    await client.receive('auth');
    answer(client, 11, code);
    await expectNoAccept(client);
  });

  it('[MQTT-4.12.0-5] an answer with another method ends the connection', async () => {
    const client = start(brokerWithMethod());
    await client.receive('auth');
    answer(client, 11, 0x18, 'other');
    await expectNoAccept(client);
  });

  it('[MQTT-3.1.2-30] another packet than AUTH or DISCONNECT ends the connection, and has no effect', async () => {
    const broker = brokerWithMethod();
    const watcher = await broker.connect('watcher');
    await watcher.subscribe('#');
    const client = start(broker);
    await client.receive('auth');
    client.publish('a', 'too early');
    await expectNoAccept(client);
    await watcher.expectNothing();
  });

  it('the client may go with DISCONNECT', async () => {
    const client = start(brokerWithMethod());
    await client.receive('auth');
    client.send({ type: 'disconnect', reasonCode: 0, properties: {} });
    await client.expectClosed();
  });

  it('a client that never answers does not stay', async () => {
    const broker = brokerWithMethod();
    const client = start(broker);
    await client.receive('auth');
    await broker.advance(60_000);
    await expectNoAccept(client);
  });
});

describe('without a method', () => {
  it('[MQTT-4.12.0-6] the broker sends no AUTH and no method', async () => {
    const client = await brokerWithMethod().connect('c');
    expect(client.connack?.properties.authenticationMethod).toBeUndefined();
    expect(client.connack?.properties.authenticationData).toBeUndefined();
    await client.expectNothing();
  });

  it.each([0x18, 0x19])('[MQTT-4.12.0-7] an AUTH with 0x%x from the client ends the connection', async (code) => {
    const client = await brokerWithMethod().connect('c');
    answer(client, 1, code);
    await client.expectDisconnected('protocol-error', 'bad-authentication-method');
  });

  it.each([
    ['a reserved flag', frame(0xf1, 0x18, 0)],
    ['a code that it cannot carry', frame(0xf0, 0x01, 0)],
    ['a property that it cannot carry', frame(0xf0, 0x18, 3, 0x21, 0, 1)],
  ])('[MQTT-3.15.1-1] [MQTT-3.15.2-1] an AUTH with %s ends the connection', async (_what, packet) => {
    const client = await proven(brokerWithMethod());
    client.sendBytes(packet);
    await client.expectDisconnected('malformed-packet', 'protocol-error');
  });
});

describe('re-authentication', () => {
  it('[MQTT-4.12.1-1] is a round of AUTH that ends with 0x00, while messages go on', async () => {
    const broker = brokerWithMethod();
    const client = await proven(broker);
    await client.subscribe('a');
    answer(client, 0, 0x19);
    expect(await client.receive('auth')).toMatchObject({ reasonCode: 0x18, properties: WITH_METHOD });
    client.publish('a', 'meanwhile');
    await client.expectMessage('a', 'meanwhile');
    answer(client, 11);
    expect(await client.receive('auth')).toMatchObject({ reasonCode: 0x00, properties: WITH_METHOD });
    await client.ping();
  });

  it('[MQTT-4.12.1-1] with another method ends the connection', async () => {
    const client = await proven(brokerWithMethod());
    answer(client, 0, 0x19, 'other');
    await client.expectDisconnected('protocol-error', 'bad-authentication-method');
  });

  it('is one at a time: another one before it is answered ends the connection', async () => {
    let asked = 0;
    const broker = startTestBroker({
      authenticate: () => {
        asked += 1;
        return asked === 1 ? Promise.resolve(PROVEN) : new Promise(() => undefined);
      },
    });
    const client = start(broker);
    await client.receive('connack');
    for (let n = 0; n < 3; n++) answer(client, 0, 0x19);
    await client.expectDisconnected('protocol-error');
    expect(asked).toBe(2);
  });

  it('[MQTT-4.12.1-2] that fails ends the connection', async () => {
    const client = await proven(brokerWithMethod());
    answer(client, 0, 0x19);
    await client.receive('auth');
    answer(client, 99);
    await client.expectDisconnected('not-authorized');
  });
});

/** The connection ends, and CONNACK did not say yes. */
async function expectNoAccept(client: RawClient): Promise<void> {
  const packets = await client.receiveAll();
  expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode >= 0x80)).toBe(true);
  expect(client.closed).toBe(true);
}
