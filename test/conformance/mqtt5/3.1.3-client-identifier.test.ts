// MQTT 5.0, 3.1.3.1: client identifiers, given and assigned; and whose they may be.

import { describe, expect, it } from 'vitest';
import type { Identity } from '../../../packages/broker/src/ports/identity.ts';
import { connectHeader, frame, startTestBroker, text } from '../../harness/index.ts';

const KEPT = { sessionExpiryInterval: 600 };

function device(name: string): Identity {
  return { realm: 'ca:test', name, kind: 'device', roles: ['device'] };
}

describe('a client identifier', () => {
  it.each(['a', '0123456789abcdefghijklm', 'nopqrstuvwxyzABCDEFGHIJ', 'KLMNOPQRSTUVWXYZ'])(
    '[MQTT-3.1.3-5] "%s" is taken',
    async (id) => {
      expect((await startTestBroker().open().connect(id)).reasonCode).toBe(0);
    },
  );

  it('longer ones and other characters are taken too', async () => {
    const broker = startTestBroker();
    for (const id of ['x'.repeat(200), 'gerät/1', 'a b+c#d']) {
      expect((await broker.open().connect(id)).reasonCode).toBe(0);
    }
  });

  it('[MQTT-3.1.3-3] [MQTT-3.1.3-4] is the first field and a string with its length', async () => {
    const client = startTestBroker().open();
    client.sendBytes(frame(0x10, connectHeader(0x02), text('abc')));
    const connack = await client.receive('connack');
    expect(connack.reasonCode).toBe(0);
    expect(connack.properties.assignedClientIdentifier).toBeUndefined();
  });
});

describe('no client identifier', () => {
  it('[MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] gets one of its own, told in CONNACK', async () => {
    const broker = startTestBroker();
    await broker.connect('taken');
    const clients = await Promise.all([1, 2, 3].map(() => broker.connect('')));
    const ids = clients.map((client) => client.connack?.properties.assignedClientIdentifier ?? '');
    expect(ids.every((id) => id.length > 0)).toBe(true);
    expect(new Set([...ids, 'taken']).size).toBe(4);
    for (const client of clients) await client.ping();
  });

  it('[MQTT-3.1.3-7] the assigned one is as good as any other', async () => {
    const broker = startTestBroker();
    const publisher = await broker.connect('p');
    const first = await broker.connect('', { cleanStart: false, properties: KEPT });
    const id = first.connack?.properties.assignedClientIdentifier ?? '';
    await first.subscribe('a');
    await first.cut();
    publisher.publish('a', 'x', { qos: 1 });
    await publisher.receive('puback');
    const second = await broker.connect(id, { cleanStart: false, properties: KEPT });
    expect(second.connack?.sessionPresent).toBe(true);
    expect(second.connack?.properties.assignedClientIdentifier).toBeUndefined();
    await second.expectMessage('a', 'x');
  });
});

describe('whose client identifier it is', () => {
  const bound = { listener: { authentication: 'certificate', clientIds: 'own' } } as const;

  it('a device may use NAME and NAME/anything', async () => {
    const broker = startTestBroker({ ...bound, identities: () => device('pump-1') });
    for (const id of ['pump-1', 'pump-1/a', 'pump-1/a/b']) expect((await broker.open().connect(id)).reasonCode).toBe(0);
  });

  it.each(['pump-2', 'pump-1x', 'pump', 'PUMP-1', 'pump-2/pump-1'])(
    '[MQTT-3.1.3-8] [MQTT-3.1.4-2] another one ("%s") is refused with 0x85',
    async (id) => {
      const broker = startTestBroker({ ...bound, identities: () => device('pump-1') });
      const client = broker.open();
      client.send({ type: 'connect', version: 5, clientId: id, cleanStart: true, keepAlive: 0, properties: {} });
      await client.expectRefused('client-identifier-not-valid');
      expect(broker.events.some((event) => event.name === 'peer.refused')).toBe(true);
    },
  );

  it('[MQTT-3.1.3-6] an empty one becomes NAME/something', async () => {
    const broker = startTestBroker({ ...bound, identities: () => device('pump-1') });
    const client = await broker.connect('');
    expect(client.connack?.properties.assignedClientIdentifier).toMatch(/^pump-1\/.+/);
  });

  it('two identities with the same client identifier are two sessions', async () => {
    const names = ['ada', 'bob', 'ada'];
    const broker = startTestBroker({
      listener: { authentication: 'certificate', clientIds: 'any' },
      identities: () => device(names.shift() ?? ''),
    });
    const ada = await broker.connect('shared', { properties: KEPT });
    await ada.subscribe('a');
    await ada.cut();
    const bob = await broker.connect('shared', { cleanStart: false, properties: KEPT });
    expect(bob.connack?.sessionPresent).toBe(false);
    const again = await broker.connect('shared', { cleanStart: false, properties: KEPT });
    expect(again.connack?.sessionPresent).toBe(true);
    await bob.ping();
  });
});
