// MQTT 5.0, 3.15 and 4.12 with a method that clients know: SCRAM-SHA-256 (RFC 5802) at CONNECT and again while connected.

import { beforeAll, describe, expect, it } from 'vitest';
import { makeScramVerifier, type ScramVerifier } from '../../../packages/broker/src/identity/scram/keys.ts';
import { user } from '../../../packages/broker/src/testing/logins.ts';
import { ScramClient } from '../../../packages/broker/src/testing/scram-client.ts';
import { type RawClient, startTestBroker, type TestBroker } from '../../harness/index.ts';

const METHOD = 'SCRAM-SHA-256';
const PASSWORD = 'correct horse battery';
const CONTINUE = 0x18;
const AGAIN = 0x19;

let verifier: ScramVerifier;
beforeAll(async () => {
  verifier = (await makeScramVerifier(PASSWORD)) as ScramVerifier;
});

function scramBroker(): TestBroker {
  return startTestBroker({
    registered: [user('ada', verifier), user('eve', verifier)],
    listener: { name: 'panel', authentication: 'scram', role: undefined, clientIds: 'own' },
  });
}

function scram(name = 'ada', password = PASSWORD): ScramClient {
  return new ScramClient({ name, password });
}

function begin(broker: TestBroker, method: ScramClient, properties = {}, clientId = 'ada'): RawClient {
  const client = broker.open();
  const all = { authenticationMethod: METHOD, authenticationData: method.first, ...properties };
  client.send({ type: 'connect', version: 5, clientId, cleanStart: true, keepAlive: 0, properties: all });
  return client;
}

function send(client: RawClient, data: Uint8Array, reasonCode: number = CONTINUE): void {
  client.send({ type: 'auth', reasonCode, properties: { authenticationMethod: METHOD, authenticationData: data } });
}

async function answer(client: RawClient, method: ScramClient): Promise<void> {
  const auth = await client.receive('auth');
  expect(auth).toMatchObject({ reasonCode: CONTINUE, properties: { authenticationMethod: METHOD } });
  send(client, method.final(auth.properties.authenticationData));
}

async function connected(broker: TestBroker): Promise<RawClient> {
  const method = scram();
  const client = begin(broker, method);
  await answer(client, method);
  const { reasonCode, properties } = await client.receive('connack');
  expect(reasonCode).toBe(0);
  expect(properties.authenticationMethod).toBe(METHOD);
  expect(Buffer.from(properties.authenticationData ?? []).toString()).toBe(method.signature);
  return client;
}

describe('at CONNECT', () => {
  it('[MQTT-4.12.0-2] [MQTT-4.12.0-5] one round of AUTH, and the proof of the broker in the CONNACK', async () => {
    const broker = scramBroker();
    const client = await connected(broker);
    await client.subscribe('a');
    client.publish('a', 'let in');
    await client.expectMessage('a', 'let in');
    expect(broker.clients()).toMatchObject([{ identity: 'ada@scram', clientId: 'ada', roles: ['operator'] }]);
  });

  it.each<[string, () => ScramClient]>([
    ['a wrong password', () => scram('ada', 'wrong')],
    ['no such user', () => scram('nobody')],
  ])('[MQTT-4.12.0-4] %s ends in CONNACK 0x87 and nothing else', async (_what, make) => {
    const broker = scramBroker();
    const method = make();
    const client = begin(broker, method);
    await answer(client, method);
    const connack = await client.receive('connack');
    expect(connack).toMatchObject({ reasonCode: 0x87, properties: {} });
    expect(Object.keys(connack.properties)).toEqual([]);
    await client.expectClosed();
  });

  it('the client identifier is one of the user’s', async () => {
    const method = scram('eve');
    const client = begin(scramBroker(), method);
    await answer(client, method);
    await client.expectRefused('client-identifier-not-valid');
  });

  it('[MQTT-4.12.0-1] another mechanism of the family is refused, and so is none', async () => {
    const broker = scramBroker();
    await begin(broker, scram(), { authenticationMethod: 'SCRAM-SHA-1' }).expectRefused('bad-authentication-method');
    await begin(broker, scram(), { authenticationMethod: 'scram-sha-256' }).expectRefused('bad-authentication-method');
    const client = broker.open();
    expect(await client.connect('ada', { userName: 'ada', password: Buffer.from(PASSWORD) })).toMatchObject({
      reasonCode: 0x87,
    });
    const older = broker.open(4);
    expect(await older.connect('ada', { userName: 'ada', password: Buffer.from(PASSWORD) })).toMatchObject({
      reasonCode: 5,
    });
  });

  it('[MQTT-3.1.2-30] a final message sent ahead of the challenge ends the connection', async () => {
    const method = scram();
    const client = begin(scramBroker(), method);
    const auth = await client.receive('auth');
    const final = method.final(auth.properties.authenticationData);
    send(client, final);
    send(client, final);
    const packets = await client.receiveAll();
    expect(client.closed).toBe(true);
    expect(packets.filter(({ type }) => type === 'publish' || type === 'auth')).toEqual([]);
  });
});

describe('re-authentication', () => {
  it('[MQTT-4.12.1-1] goes through the same round, while messages go on', async () => {
    const client = await connected(scramBroker());
    await client.subscribe('a');
    const again = scram();
    send(client, again.first, AGAIN);
    const auth = await client.receive('auth');
    client.publish('a', 'meanwhile');
    await client.expectMessage('a', 'meanwhile');
    send(client, again.final(auth.properties.authenticationData));
    const done = await client.receive('auth');
    expect(done.reasonCode).toBe(0);
    expect(Buffer.from(done.properties.authenticationData ?? []).toString()).toBe(again.signature);
    await client.ping();
  });

  it('[MQTT-4.12.1-2] with a wrong password ends the connection', async () => {
    const client = await connected(scramBroker());
    const again = scram('ada', 'wrong');
    send(client, again.first, AGAIN);
    await answer(client, again);
    await client.expectDisconnected('not-authorized');
  });

  it('[MQTT-4.12.1-2] as somebody else ends the connection, however right the password', async () => {
    const broker = scramBroker();
    const client = await connected(broker);
    const again = scram('eve');
    send(client, again.first, AGAIN);
    await answer(client, again);
    await client.expectDisconnected('not-authorized');
    const refusals = broker.events.filter(({ name }) => name === 'peer.refused');
    expect(refusals.at(-1)).toMatchObject({ because: expect.stringContaining('proved eve@scram') });
  });

  it('[MQTT-4.12.0-3] an answer where none is due ends the connection', async () => {
    const client = await connected(scramBroker());
    send(client, scram().first);
    await client.expectDisconnected('protocol-error');
  });
});
