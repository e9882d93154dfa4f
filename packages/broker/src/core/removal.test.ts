import { describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker, type TestBrokerOptions, will } from '../../../../test/harness/index.ts';
import type { RegisteredIdentity } from '../ports/directory.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } } as const;

const registered = (realm: string, name: string): RegisteredIdentity => {
  const kind = realm === 'password' || realm === 'scram' ? 'user' : 'device';
  return { realm, name, kind, roles: [], state: 'active', addedAtMs: 0 };
};

/** The client identifier is REALM/NAME or REALM/NAME/anything, and says who it is. */
function plant(realms: readonly string[], options: Partial<TestBrokerOptions> = {}): TestBroker {
  return startTestBroker({
    identities: (clientId) => {
      const [realm = '', name = ''] = clientId.split('/');
      return registered(realm, name);
    },
    registered: realms.flatMap((realm) => [registered(realm, 'ada'), registered(realm, 'bob')]),
    endsWithRegistry: true,
    ...options,
  });
}

const told = (broker: TestBroker) => broker.events.filter(({ name }) => name === 'device.revoked');

describe.each(['ca:motte', 'psk', 'password', 'scram'])('an identity of the realm %s', (realm) => {
  it.each(['removed', 'disabled'])('that is %s loses all at once, and what it lost is told', async (how) => {
    const broker = plant([realm]);
    const bob = await broker.connect(`${realm}/bob`);
    await bob.subscribe('#');
    const ada = await broker.connect(`${realm}/ada`, { ...KEPT, will: will('last', 'word') });
    await (await broker.connect(`${realm}/ada/away`, KEPT)).cut();
    if (how === 'removed') await broker.directory.remove(realm, 'ada');
    else await broker.directory.put({ ...registered(realm, 'ada'), state: 'disabled' });
    expect(await ada.receiveAll()).toEqual([expect.objectContaining({ type: 'disconnect', reasonCode: 0x98 })]);
    expect(ada.closed).toBe(true);
    expect(broker.clients().map(({ clientId }) => clientId)).toEqual([`${realm}/bob`]);
    const lost = { connections: 1, sessions: 2, queuedMessages: 0, wills: 1 };
    expect(told(broker)).toEqual([expect.objectContaining({ identity: `${realm}\nada`, ...lost })]);
    expect(await broker.takenFrom({ realm, name: 'ada' })).toMatchObject(lost);
    await bob.expectNothing();
  });

  it('that is changed and stays active keeps what it has', async () => {
    const broker = plant([realm]);
    const ada = await broker.connect(`${realm}/ada`, KEPT);
    await broker.directory.put({ ...registered(realm, 'ada'), roles: ['operator'] });
    await ada.ping();
    expect(told(broker)).toEqual([]);
    expect(await broker.takenFrom({ realm, name: 'ada' })).toBeUndefined();
  });
});

it('an equal name of another realm keeps what it has', async () => {
  const broker = plant(['ca:motte', 'psk', 'password', 'scram']);
  const others = await Promise.all(['psk', 'password', 'scram'].map((realm) => broker.connect(`${realm}/ada`)));
  const ada = await broker.connect('ca:motte/ada');
  await broker.directory.remove('ca:motte', 'ada');
  await ada.receiveAll();
  expect(ada.closed).toBe(true);
  for (const other of others) await other.ping();
});

describe('what one command ends', () => {
  it('is one matter for a while, and another one later', async () => {
    const broker = plant(['ca:motte']);
    await broker.connect('ca:motte/ada', KEPT);
    await broker.directory.put({ ...registered('ca:motte', 'ada'), state: 'disabled' });
    await broker.advance(1_000);
    await broker.directory.remove('ca:motte', 'ada');
    expect(told(broker)).toHaveLength(1);
    expect(await broker.takenFrom({ realm: 'ca:motte', name: 'ada' })).toMatchObject({ connections: 1, sessions: 1 });
    await broker.advance(5_000);
    expect(await broker.takenFrom({ realm: 'ca:motte', name: 'ada' })).toBeUndefined();
    await broker.directory.put(registered('ca:motte', 'ada'));
    await broker.connect('ca:motte/ada');
    await broker.directory.remove('ca:motte', 'ada');
    expect(told(broker)).toHaveLength(2);
  });

  it('of one who had nothing is told all the same', async () => {
    const broker = plant(['ca:motte']);
    await broker.directory.remove('ca:motte', 'ada');
    expect(told(broker)).toEqual([expect.objectContaining({ connections: 0, sessions: 0, wills: 0 })]);
  });
});

describe('with `publish`', () => {
  const onRevoke = { kind: 'publish', topic: 'devices/${device}/gone' } as const;

  it('the last word is spoken for a device once, and for a user never: the topic is of a device', async () => {
    const broker = plant(['ca:motte', 'scram'], { onRevoke });
    const bob = await broker.connect('ca:motte/bob');
    await bob.subscribe('devices/#');
    await broker.directory.remove('scram', 'ada');
    await bob.expectNothing();
    await broker.directory.put({ ...registered('ca:motte', 'ada'), state: 'disabled' });
    await broker.directory.remove('ca:motte', 'ada');
    const [message] = await bob.takeMessages(1);
    expect(JSON.parse(message ?? '')).toMatchObject({ device: 'ada', state: 'revoked' });
    await bob.expectNothing();
  });
});
