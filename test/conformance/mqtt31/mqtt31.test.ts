// MQTT 3.1 ("MQIsdp", level 3): only what differs from 3.1.1. Its sections are those of the IBM and Eurotech specification.

import { describe, expect, it } from 'vitest';
import { bytesOf, frame, joined, startTestBroker, text, uint16, will } from '../../harness/index.ts';

const THREE = { version: 3 } as const;
const KEPT = { version: 3, cleanStart: false } as const;

function connectHeader3(flags: number): Uint8Array {
  return joined([text('MQIsdp'), 3, flags, uint16(0)]);
}

describe('CONNECT (3.1)', () => {
  it('with MQIsdp and level 3 is accepted', async () => {
    const client = startTestBroker().open(3);
    client.sendBytes('10 0f 00 06 4d 51 49 73 64 70 03 02 00 3c 00 01 63');
    expect(await client.receiveAll()).toMatchObject([{ type: 'connack', reasonCode: 0, sessionPresent: false }]);
  });

  it('CONNACK has a reserved byte of 0 where 3.1.1 says session present, though the session is there', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p', THREE);
    const first = await broker.connect('c', KEPT);
    await first.subscribe('a');
    await first.disconnect();
    await publisher.deliver('a', 'x');
    const second = await broker.connect('c', KEPT);
    expect(second.connack?.sessionPresent).toBe(false);
    expect(await second.takeMessages(1)).toEqual(['x']);
  });

  it('an empty client identifier gets return code 2, clean session or not', async () => {
    for (const flags of [0, 2]) {
      const client = startTestBroker().open(3);
      client.sendBytes(frame(0x10, connectHeader3(flags), text('')));
      expect(await client.receiveAll()).toMatchObject([{ type: 'connack', reasonCode: 2 }]);
      expect(client.closed).toBe(true);
    }
  });

  it('user name and password may be missing though their flags are set', async () => {
    const broker = startTestBroker();
    for (const [flags, ...payload] of [
      [0xc2, text('c')],
      [0x82, text('c')],
      [0xc2, text('c'), text('u')],
    ] as const) {
      const client = broker.open(3);
      client.sendBytes(frame(0x10, connectHeader3(flags), ...payload));
      expect(await client.receive('connack')).toMatchObject({ reasonCode: 0 });
    }
  });

  it.each([
    ['bad user name or password', 'bad-user-name-or-password', 4],
    ['not authorised', 'not-authorized', 5],
    ['server unavailable', 'server-unavailable', 3],
  ] as const)('refused, %s: return code and the end', async (_name, reason, code) => {
    const { refuse } = await import('../../../packages/broker/src/ports/verdict.ts');
    const broker = startTestBroker({ authenticate: () => Promise.resolve(refuse(reason, 'the test says no', 'test')) });
    const client = broker.open(3);
    expect((await client.connect('c')).reasonCode).toBe(code);
    await client.expectClosed();
  });

  it('a second CONNECT and a first packet that is none end the connection', async () => {
    const broker = startTestBroker();
    const client = await broker.connect('c', THREE);
    client.sendBytes(frame(0x10, connectHeader3(2), text('c')));
    await client.expectClosed();
    const early = broker.open(3);
    early.sendBytes('c0 00');
    await early.expectClosed();
  });

  it('a listener that does not take MQTT 3.1 answers with return code 1', async () => {
    const client = startTestBroker({ listener: { versions: [4, 5] } }).open(3);
    expect((await client.connect('c')).reasonCode).toBe(1);
    await client.expectClosed();
  });

  it('a will goes out when the connection breaks and not after DISCONNECT', async () => {
    const broker = startTestBroker();
    const watcher = await broker.connect('w', THREE);
    await watcher.subscribe('gone');
    await (await broker.connect('c', { ...THREE, will: will('gone', '1', { qos: 1 }) })).cut();
    await watcher.expectMessage('gone', '1');
    await (await broker.connect('c', { ...THREE, will: will('gone', '2') })).disconnect();
    await watcher.expectNothing();
  });
});

describe('packets that may be marked as repeated (2.1, DUP)', () => {
  it.each([
    ['SUBSCRIBE', frame(0x8a, uint16(1), text('a'), 1), 'suback'],
    ['UNSUBSCRIBE', frame(0xaa, uint16(1), text('a')), 'unsuback'],
    ['PUBREL', bytesOf('6a 02 00 01'), 'pubcomp'],
  ] as const)('%s with DUP is answered like one without', async (_name, packet, answer) => {
    const client = await startTestBroker().connect('c', THREE);
    client.sendBytes(packet);
    expect((await client.receive()).type).toBe(answer);
    await client.ping();
  });
});

describe('SUBACK (3.9)', () => {
  it('a filter that is refused gets 0x80 like in 3.1.1: 3.1 has no code for it, and a grant would be a lie', async () => {
    const client = await startTestBroker({ rules: ['allow all ok/#'] }).connect('c', THREE);
    expect((await client.subscribe([{ filter: 'ok/1', qos: 1 }, 'secret'])).reasonCodes).toEqual([1, 0x80]);
  });
});

describe('PUBLISH (3.3)', () => {
  it('without the right is acknowledged and dropped', async () => {
    const broker = startTestBroker({ rules: ['allow subscribe #'] });
    const [watcher, client] = [await broker.connect('w', THREE), await broker.connect('c', THREE)];
    await watcher.subscribe('#');
    await client.deliver('a', 'x', { qos: 1 });
    await client.deliver('a', 'x', { qos: 2 });
    await watcher.expectNothing();
  });

  it('QoS 2 is delivered exactly once through a reconnect at each step', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p', KEPT);
    const subscriber = await broker.connect('s', KEPT);
    await subscriber.subscribe('a');
    publisher.publish('a', 'x', { qos: 2, packetId: 3 });
    await publisher.receive('pubrec');
    await publisher.cut();
    const publisherAgain = await broker.connect('p', KEPT);
    publisherAgain.publish('a', 'x', { qos: 2, packetId: 3, dup: true });
    await publisherAgain.receive('pubrec');
    publisherAgain.ack('pubrel', 3);
    await publisherAgain.receive('pubcomp');
    const { packetId } = await subscriber.expectMessage('a', 'x');
    subscriber.ack('pubrec', packetId);
    await subscriber.receive('pubrel');
    await subscriber.cut();
    const again = await broker.connect('s', KEPT);
    expect(await again.receiveAll()).toMatchObject([{ type: 'pubrel', packetId }]);
    again.ack('pubcomp', packetId);
    await again.expectNothing();
  });
});
