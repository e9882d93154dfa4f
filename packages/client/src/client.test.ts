import type { Connack, Packet } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { connectClient } from './connect-client.ts';
import type { ClientOptions, IncomingMessage, MqttClient } from './options.ts';
import { FakeTimers, ScriptedServer, settle } from './testing/scripted-server.ts';

const text = new TextDecoder();

function connack(properties: Connack['properties'] = {}, reasonCode = 0): Connack {
  return { type: 'connack', sessionPresent: false, reasonCode, properties };
}

function suback(packetId: number, ...reasonCodes: number[]): Packet {
  return { type: 'suback', packetId, reasonCodes, properties: {} };
}

function ack(type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', packetId: number, reasonCode = 0): Packet {
  return { type, packetId, reasonCode, properties: {} };
}

function message(topic: string, qos: 0 | 1 | 2, packetId: number, properties = {}): Packet {
  return { type: 'publish', topic, qos, packetId, retain: false, dup: false, payload: Buffer.from('x'), properties };
}

async function connected(
  options: Partial<ClientOptions> = {},
  granted: Connack['properties'] = {},
): Promise<{ client: MqttClient; server: ScriptedServer; timers: FakeTimers }> {
  const server = new ScriptedServer(options.version);
  const timers = new FakeTimers();
  const opening = connectClient({ transport: server.transport, clientId: 'c', timers, ...options });
  await server.next('connect');
  server.send(connack(granted));
  return { client: await opening, server, timers };
}

describe('connect', () => {
  it('sends what it was given and takes the assigned client identifier', async () => {
    const server = new ScriptedServer();
    const opening = connectClient({ transport: server.transport, keepAlive: 30, userName: 'ada', cleanStart: false });
    expect(await server.next('connect')).toMatchObject({
      version: 5,
      keepAlive: 30,
      userName: 'ada',
      cleanStart: false,
    });
    server.send(connack({ assignedClientIdentifier: 'pump-1/abc' }));
    const client = await opening;
    expect(client.clientId).toBe('pump-1/abc');
    client.destroy();
  });

  it.each([
    { version: 5, code: 0x85, reason: 'client-identifier-not-valid' },
    { version: 4, code: 2, reason: 'client-identifier-not-valid' },
    { version: 3, code: 5, reason: 'not-authorized' },
  ] as const)('names the refusal of a version $version server: $reason', async ({ version, code, reason }) => {
    const server = new ScriptedServer(version);
    const opening = connectClient({ transport: server.transport, version, clientId: 'c' });
    await server.next('connect');
    server.send(connack({}, code));
    await expect(opening).rejects.toMatchObject({ name: 'MqttError', reason, code });
  });

  it('understands the CONNACK of a server that knows MQTT 3.1.1 only', async () => {
    const server = new ScriptedServer();
    const opening = connectClient({ transport: server.transport });
    await server.next('connect');
    server.sendBytes(Uint8Array.of(0x20, 2, 0, 1));
    await expect(opening).rejects.toMatchObject({ reason: 'unsupported-protocol-version', code: 1 });
  });

  it('gives up after the deadline', async () => {
    const server = new ScriptedServer();
    const timers = new FakeTimers();
    const opening = connectClient({ transport: server.transport, timers, connectDeadlineMs: 500 });
    await server.next('connect');
    timers.advance(500);
    await expect(opening).rejects.toMatchObject({ reason: 'connect-timeout' });
  });

  it('fails when the server hangs up before CONNACK', async () => {
    const server = new ScriptedServer();
    const opening = connectClient({ transport: server.transport });
    await server.next('connect');
    server.hangUp();
    await expect(opening).rejects.toMatchObject({ reason: 'connection-lost' });
  });

  it('answers rounds of AUTH with the method of CONNECT [MQTT-4.12.0-3]', async () => {
    const server = new ScriptedServer();
    const opening = connectClient({
      transport: server.transport,
      properties: { authenticationMethod: 'echo' },
      authenticate: (data) => data,
    });
    await server.next('connect');
    const challenge = { authenticationMethod: 'echo', authenticationData: Uint8Array.of(1, 2) };
    server.send({ type: 'auth', reasonCode: 0x18, properties: challenge });
    expect(await server.next('auth')).toMatchObject({ reasonCode: 0x18, properties: { authenticationMethod: 'echo' } });
    server.send(connack({ authenticationMethod: 'echo' }));
    (await opening).destroy();
  });
});

describe('publish', () => {
  it('resolves QoS 0 when written, QoS 1 on PUBACK, QoS 2 on PUBCOMP', async () => {
    const { client, server } = await connected();
    await client.publish('a', 'zero');
    expect(await server.next('publish')).toMatchObject({ topic: 'a', qos: 0, packetId: 0 });

    const one = client.publish('a', 'one', { qos: 1, retain: true });
    const first = await server.next('publish');
    expect(first).toMatchObject({ qos: 1, retain: true, dup: false });
    server.send(ack('puback', first.packetId, 0x10));
    expect(await one).toEqual({ reason: 'no-matching-subscribers', code: 0x10 });

    const two = client.publish('a', 'two', { qos: 2 });
    const second = await server.next('publish');
    server.send(ack('pubrec', second.packetId));
    expect(await server.next('pubrel')).toMatchObject({ packetId: second.packetId });
    server.send(ack('pubcomp', second.packetId));
    expect(await two).toEqual({ reason: 'success', code: 0 });
    client.destroy();
  });

  it('rejects with the reason of PUBACK and of PUBREC', async () => {
    const { client, server } = await connected();
    const one = client.publish('a', 'one', { qos: 1 });
    server.send(ack('puback', (await server.next('publish')).packetId, 0x87));
    await expect(one).rejects.toMatchObject({ reason: 'not-authorized', code: 0x87 });
    const two = client.publish('a', 'two', { qos: 2 });
    server.send(ack('pubrec', (await server.next('publish')).packetId, 0x97));
    await expect(two).rejects.toMatchObject({ reason: 'quota-exceeded' });
    client.destroy();
  });

  it("[MQTT-3.3.4-7] never has more than the server's Receive Maximum under way, and keeps the order", async () => {
    const { client, server } = await connected({}, { receiveMaximum: 2 });
    const done = ['1', '2', '3', '4'].map((payload) => client.publish('a', payload, { qos: 1 }));
    await settle();
    expect(server.received).toHaveLength(2);
    for (const payload of ['1', '2', '3', '4']) {
      const packet = await server.next('publish');
      expect(text.decode(packet.payload)).toBe(payload);
      server.send(ack('puback', packet.packetId));
    }
    await Promise.all(done);
    client.destroy();
  });

  it("[MQTT-3.2.2-15] refuses a packet above the server's Maximum Packet Size, and goes on", async () => {
    const { client, server } = await connected({}, { maximumPacketSize: 40 });
    await expect(client.publish('a', 'x'.repeat(60))).rejects.toMatchObject({ reason: 'packet-too-large' });
    await client.publish('a', 'short');
    await server.next('publish');
    client.destroy();
  });

  it('refuses what does not fit the queue', async () => {
    const { client, server } = await connected({ queueMessagesMax: 1 }, { receiveMaximum: 1 });
    const owed = [client.publish('a', '1', { qos: 1 }), client.publish('a', '2', { qos: 1 })];
    await expect(client.publish('a', '3', { qos: 1 })).rejects.toMatchObject({ reason: 'queue-full' });
    client.destroy();
    for (const promise of owed) await expect(promise).rejects.toMatchObject({ reason: 'client-closed' });
    expect(server.received.length).toBeLessThanOrEqual(1);
  });

  it('rejects a topic name with a wildcard and stays usable', async () => {
    const { client, server } = await connected();
    await expect(client.publish('a/#', 'x', { qos: 1 })).rejects.toThrow(RangeError);
    await client.publish('a', 'x');
    await server.next('publish');
    client.destroy();
  });
});

describe('subscribe', () => {
  it('resolves with the codes, rejects with them when one was refused', async () => {
    const { client, server } = await connected();
    const granted = client.subscribe(['a', { filter: 'b/#', qos: 1, noLocal: true }]);
    const packet = await server.next('subscribe');
    expect(packet.subscriptions).toMatchObject([
      { filter: 'a', qos: 0 },
      { filter: 'b/#', qos: 1, noLocal: true },
    ]);
    server.send(suback(packet.packetId, 0, 1));
    expect(await granted).toEqual([0, 1]);

    const refused = client.subscribe(['a', 'b']);
    server.send(suback((await server.next('subscribe')).packetId, 0, 0x87));
    await expect(refused).rejects.toMatchObject({ reason: 'not-authorized', codes: [0, 0x87] });

    const removed = client.unsubscribe('a');
    const { packetId } = await server.next('unsubscribe');
    server.send({ type: 'unsuback', packetId, reasonCodes: [0x11], properties: {} });
    expect(await removed).toEqual([0x11]);
    client.destroy();
  });
});

describe('messages', () => {
  it('acknowledges by itself after the handlers', async () => {
    const seen: string[] = [];
    const { client, server } = await connected({ onMessage: (got) => seen.push(got.topic) });
    server.send(message('a', 0, 0), message('b', 1, 7), message('c', 2, 8));
    expect(await server.next('puback')).toMatchObject({ packetId: 7 });
    expect(await server.next('pubrec')).toMatchObject({ packetId: 8 });
    server.send(ack('pubrel', 8));
    expect(await server.next('pubcomp')).toMatchObject({ packetId: 8, reasonCode: 0 });
    expect(seen).toEqual(['a', 'b', 'c']);
    client.destroy();
  });

  it('waits for the caller with manual acknowledgement', async () => {
    const held: IncomingMessage[] = [];
    const { client, server } = await connected({ acknowledge: 'manual', onMessage: (got) => held.push(got) });
    server.send(message('a', 1, 1), message('b', 2, 2));
    await settle();
    expect(server.received).toEqual([]);
    held[0]?.ack(0x99);
    held[0]?.ack();
    held[1]?.ack();
    expect(await server.next('puback')).toMatchObject({ packetId: 1, reasonCode: 0x99 });
    expect(await server.next('pubrec')).toMatchObject({ packetId: 2 });
    client.destroy();
  });

  it('[MQTT-4.3.3-10] gives a QoS 2 message out once', async () => {
    let count = 0;
    const { client, server } = await connected({ onMessage: () => count++ });
    server.send(message('a', 2, 5), message('a', 2, 5));
    await server.next('pubrec');
    await server.next('pubrec');
    expect(count).toBe(1);
    server.send(ack('pubrel', 5), message('a', 2, 5));
    await server.next('pubcomp');
    await server.next('pubrec');
    expect(count).toBe(2);
    client.destroy();
  });

  it('[MQTT-3.3.2-10] resolves topic aliases and ends the connection over one above its maximum', async () => {
    const topics: string[] = [];
    const { client, server } = await connected({
      properties: { topicAliasMaximum: 1 },
      onMessage: (got) => topics.push(got.topic),
    });
    server.send(message('a', 0, 0, { topicAlias: 1 }), message('', 0, 0, { topicAlias: 1 }));
    server.send(message('b', 0, 0, { topicAlias: 2 }));
    expect(await server.next('disconnect')).toMatchObject({ reasonCode: 0x94 });
    expect(topics).toEqual(['a', 'a']);
    expect(await client.closed).toMatchObject({ reason: 'topic-alias-invalid', byPeer: false });
  });
});

describe('the end', () => {
  it('sends DISCONNECT and resolves once the connection is gone', async () => {
    const { client, server } = await connected();
    await client.disconnect(0x04);
    expect(await server.next('disconnect')).toMatchObject({ reasonCode: 0x04 });
    expect(server.ended).toBe(true);
    expect(await client.closed).toMatchObject({ reason: 'disconnect-with-will', byPeer: false });
    await expect(client.publish('a', 'x')).rejects.toMatchObject({ name: 'MqttError' });
  });

  it('tells why the server disconnected and fails what it still owed', async () => {
    const { client, server } = await connected();
    const owed = client.publish('a', 'x', { qos: 1 });
    await server.next('publish');
    server.send({ type: 'disconnect', reasonCode: 0x8e, properties: { reasonString: 'elsewhere' } });
    await expect(owed).rejects.toMatchObject({ reason: 'session-taken-over', code: 0x8e });
    expect(await client.closed).toMatchObject({ byPeer: true, message: expect.stringContaining('elsewhere') });
  });

  it('[MQTT-4.13.1-1] answers a malformed packet with DISCONNECT and closes', async () => {
    const { client, server } = await connected();
    server.sendBytes(Uint8Array.of(0x00, 0x00));
    expect(await server.next('disconnect')).toMatchObject({ reasonCode: 0x81 });
    expect(await client.closed).toMatchObject({ reason: 'malformed-packet' });
  });

  it('drops a server that does not close', async () => {
    const { client, server, timers } = await connected();
    server.send({ type: 'disconnect', reasonCode: 0x8b, properties: {} });
    await settle();
    timers.advance(2_000);
    expect(await client.closed).toMatchObject({ reason: 'server-shutting-down' });
  });
});

describe('keep alive', () => {
  it('[MQTT-3.1.2-20] pings when quiet, with the interval of the server, and ends without an answer', async () => {
    const { client, server, timers } = await connected({ keepAlive: 600 }, { serverKeepAlive: 4 });
    timers.advance(2_000);
    await client.publish('a', 'x');
    await server.next('publish');
    timers.advance(2_000);
    await settle();
    expect(server.received).toEqual([]);
    timers.advance(1_000);
    await server.next('pingreq');
    server.send({ type: 'pingresp' });
    await settle();
    timers.advance(3_000);
    await server.next('pingreq');
    timers.advance(4_000);
    expect(await client.closed).toMatchObject({ reason: 'keep-alive-timeout' });
  });

  it('resolves a ping of the caller', async () => {
    const { client, server } = await connected({ keepAlive: 0 });
    const pinged = client.ping();
    await server.next('pingreq');
    server.send({ type: 'pingresp' });
    await pinged;
    client.destroy();
  });
});
