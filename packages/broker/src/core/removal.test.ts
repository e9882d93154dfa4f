import { describe, expect, it, onTestFinished } from 'vitest';
import { startTestBroker, type TestBroker, type TestBrokerOptions, will } from '../../../../test/harness/index.ts';
import type { RegisteredIdentity } from '../ports/directory.ts';
import type { CheckOutsider } from '../ports/guards.ts';
import { refuse } from '../ports/verdict.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';

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

describe('of whom a token proved', () => {
  const realm = 'token:plant';
  const WHY = { because: 'it was revoked', rule: 'identity.tokens.revoked' };
  const identities = (clientId: string) => {
    const name = clientId.split('/', 1)[0] as string;
    const { verifier: _, ...one } = registered(realm, name);
    return { ...one, kind: name === 'eve' ? ('user' as const) : ('device' as const) };
  };
  const retained = async (broker: TestBroker) => {
    const late = await broker.connect('late');
    await late.subscribe({ filter: '#', qos: 0 });
    return (await late.receiveAll()).flatMap((packet) => (packet.type === 'publish' ? [packet.topic] : [])).sort();
  };
  /** `ada` is connected, `bob` is away, `eve` is a user; each has a retained message. */
  const inUse = async (options: Partial<TestBrokerOptions>) => {
    const broker = startTestBroker({ identities, ...options });
    for (const name of ['ada', 'bob', 'eve']) {
      const client = await broker.connect(name, KEPT);
      await client.deliver(`state/${name}`, 'on', { retain: true });
      if (name !== 'ada') await client.cut();
    }
    return broker;
  };
  const clear = { onRevoke: { kind: 'clear' } } as const;
  const publish = { onRevoke: { kind: 'publish', topic: 'gone/${device}' } } as const;

  it.each([
    ['is cleared with `clear`', clear, ['state/ada', 'state/eve']],
    ['is joined by the last word with `publish`', publish, ['gone/bob', 'state/ada', 'state/bob', 'state/eve']],
  ])('what a name left behind that is revoked %s', async (_, options, left) => {
    const broker = await inUse(options);
    expect(await broker.endProofs({ realm, name: 'bob', ...WHY })).toMatchObject({ connections: 0, sessions: 1 });
    expect(await retained(broker)).toEqual(left);
  });

  it.each([
    ['is cleared with `clear`', clear, []],
    ['gets the last word with `publish`', publish, ['gone/ada', 'gone/bob', 'state/ada', 'state/bob', 'state/eve']],
  ])('what the names of an issuer left behind that is gone %s, but for those of users', async (_, options, left) => {
    const broker = await inUse(options);
    expect(await broker.endProofs({ realm, ...WHY })).toMatchObject({ connections: 1, sessions: 3 });
    expect(await retained(broker)).toEqual(left);
  });

  it('one who has nothing at all is told of, if the issuer certifies devices', async () => {
    const broker = await inUse(publish);
    await broker.endProofs({ realm, name: 'zoe', kind: 'device', ...WHY });
    await broker.endProofs({ realm, name: 'yan', kind: 'user', ...WHY });
    expect((await retained(broker)).filter((topic) => topic.startsWith('gone/'))).toEqual(['gone/zoe']);
  });

  it('a single token that is revoked touches nothing that was left behind', async () => {
    const broker = await inUse(clear);
    await broker.endProofs({ realm, token: 'stolen', ...WHY });
    expect(await retained(broker)).toHaveLength(3);
  });

  it('what was revoked while the broker was down is dealt with at the start', async () => {
    const store = new MemoryStore({ defer: setImmediate });
    const first = await inUse({ store });
    first.abandon();
    onTestFinished(() => first.stop());
    const checkOutsider: CheckOutsider = ({ name }) =>
      name === 'bob' ? refuse('not-authorized', 'tokens of bob were revoked', WHY.rule) : undefined;
    const broker = startTestBroker({ identities, ...clear, store, clock: first.clock, checkOutsider });
    await broker.restore();
    expect(broker.clients().map(({ clientId }) => clientId)).toEqual(['ada', 'eve']);
    expect(told(broker)).toEqual([expect.objectContaining({ identity: `${realm}\nbob`, sessions: 1 })]);
    expect(await retained(broker)).toEqual(['state/ada', 'state/eve']);
  });
});
