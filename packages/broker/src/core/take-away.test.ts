import { describe, expect, it, onTestFinished } from 'vitest';
import { startTestBroker, type TestBroker, type TestBrokerOptions, will } from '../../../../test/harness/index.ts';
import type { OnRevoke } from '../ports/config.ts';
import type { RegisteredIdentity } from '../ports/directory.ts';
import type { Fallen } from '../ports/guards.ts';
import { refuse } from '../ports/verdict.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';

const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } } as const;
const KEY = 'ca:motte\npump';

const device = (name: string): RegisteredIdentity => {
  return { realm: 'ca:motte', name, kind: 'device', roles: [], state: 'active', addedAtMs: 0 };
};
const revoked = (superseded: boolean): Fallen => {
  return { refusal: refuse('not-authorized', 'the certificate was revoked', 'identity.revocation'), superseded };
};

/** Who connects as NAME or NAME/anything is that device; its certificate has the `address` that it came from for a serial. */
function plant(options: Partial<TestBrokerOptions> = {}) {
  const fell = new Map<string, Fallen>();
  const broker = startTestBroker({
    identities: (clientId) => device(clientId.split('/', 1)[0] as string),
    registered: ['pump', 'valve'].map(device),
    standing: ({ address }) => fell.get(address),
    serialOf: ({ address }) => address,
    takenBack: (serial) => fell.get(serial),
    ...options,
  });
  return { broker, fell };
}

async function from(broker: TestBroker, address: string, clientId: string, fields: object = {}, version: 4 | 5 = 5) {
  const client = broker.open(version, { address });
  expect((await client.connect(clientId, fields)).reasonCode).toBe(0);
  return client;
}

const away = (broker: TestBroker) => broker.clients().map(({ clientId, state }) => `${clientId} ${state}`);
const told = (broker: TestBroker) => broker.events.filter(({ name }) => name === 'device.revoked');

describe('of an identity that lost a certificate and has no other', () => {
  it('every connection and session ends, with what it was owed and its will; nobody else notices', async () => {
    const { broker, fell } = plant();
    const valve = await from(broker, 'b', 'valve', KEPT);
    await valve.subscribe('gone');
    const pump = await from(broker, 'a', 'pump', { ...KEPT, will: will('gone', 'pump') });
    const old = await from(broker, 'a', 'pump/3', { cleanStart: false }, 4);
    const gone = await from(broker, 'a', 'pump/away', {
      ...KEPT,
      will: will('gone', 'away', { properties: { willDelayInterval: 300 } }),
    });
    await gone.subscribe('orders');
    await gone.cut();
    await valve.deliver('orders', 'start');
    fell.set('a', revoked(false));
    await broker.lookForRevoked();
    expect(await pump.receiveAll()).toEqual([expect.objectContaining({ type: 'disconnect', reasonCode: 0x98 })]);
    expect([pump.closed, old.closed]).toEqual([true, true]);
    expect(away(broker)).toEqual(['valve connected']);
    expect(told(broker)).toEqual([
      expect.objectContaining({ identity: KEY, connections: 2, sessions: 3, queuedMessages: 1, wills: 2 }),
    ]);
    await broker.advance(3_600_000);
    await valve.expectNothing();
  });

  it('sessions of it that are away end as well when none of it is connected', async () => {
    const { broker, fell } = plant();
    await (await from(broker, 'a', 'pump/away', KEPT)).cut();
    await (await from(broker, 'b', 'valve', KEPT)).cut();
    fell.set('a', revoked(false));
    await broker.lookForRevoked();
    expect(away(broker)).toEqual(['valve away']);
    expect(told(broker)).toEqual([expect.objectContaining({ sessions: 1, why: 'the certificate was revoked' })]);
  });
});

describe('of an identity that has a better certificate', () => {
  it('only connections by the old one end; its sessions wait for it, and that is no removal', async () => {
    const { broker, fell } = plant();
    const pump = await from(broker, 'a', 'pump', KEPT);
    await pump.subscribe('orders');
    fell.set('a', revoked(true));
    await broker.lookForRevoked();
    expect(pump.closed).toBe(true);
    expect(away(broker)).toEqual(['pump away']);
    expect(told(broker)).toEqual([]);
    const again = await from(broker, 'b', 'pump', KEPT);
    expect(again.connack?.sessionPresent).toBe(true);
  });

  it('its sessions that are away stay while it is connected by what holds', async () => {
    const { broker, fell } = plant();
    await (await from(broker, 'b', 'pump/away', KEPT)).cut();
    await from(broker, 'b', 'pump');
    const old = await from(broker, 'a', 'pump/old', KEPT);
    fell.set('a', revoked(false));
    await broker.lookForRevoked();
    expect(old.closed).toBe(true);
    expect(away(broker)).toEqual(['pump connected', 'pump/away away']);
  });
});

it('a session that came back by a better certificate outlives the old one, however often it is looked at', async () => {
  const { broker, fell } = plant();
  await (await from(broker, 'a', 'pump', KEPT)).cut();
  fell.set('a', revoked(false));
  await broker.lookForRevoked();
  await (await from(broker, 'b', 'pump', KEPT)).cut();
  await broker.lookForRevoked();
  await broker.advance(10_000);
  await broker.lookForRevoked();
  expect(away(broker)).toEqual(['pump away']);
});

describe('while the broker was down', () => {
  /** What `pump` has when the broker goes down: a session that owes it a message and a will that waits. */
  async function down(onRevoke?: OnRevoke) {
    const store = new MemoryStore({ defer: setImmediate });
    const first = plant({ store });
    const valve = await from(first.broker, 'b', 'valve', KEPT);
    await valve.subscribe('gone');
    const properties = { willDelayInterval: 300 };
    const pump = await from(first.broker, 'a', 'pump', { ...KEPT, will: will('gone', 'pump', { properties }) });
    await pump.subscribe('orders');
    await pump.deliver('state', 'on', { retain: true });
    await pump.cut();
    await valve.deliver('orders', 'start');
    await valve.cut();
    await first.broker.advance(0);
    first.broker.abandon();
    const { clock } = first.broker;
    const next = plant({ store, clock, ...(onRevoke === undefined ? {} : { onRevoke }) });
    onTestFinished(() => first.broker.stop());
    return next;
  }
  const retained = async (broker: TestBroker) => {
    const late = await from(broker, 'b', 'valve/late');
    await late.subscribe('#');
    return (await late.receiveAll()).flatMap((packet) => (packet.type === 'publish' ? [packet.topic] : []));
  };

  it('a certificate that was revoked takes along what it would have taken along then', async () => {
    const { broker, fell } = await down();
    fell.set('a', revoked(false));
    await broker.restore();
    expect(away(broker)).toEqual(['valve away']);
    const lost = { connections: 0, sessions: 1, queuedMessages: 1, wills: 1 };
    expect(told(broker)).toEqual([expect.objectContaining({ identity: KEY, ...lost })]);
    expect(await broker.takenFrom({ realm: 'ca:motte', name: 'pump' })).toMatchObject(lost);
    const valve = await from(broker, 'b', 'valve', KEPT);
    await broker.advance(300_000);
    await valve.expectNothing();
    const pump = await from(broker, 'c', 'pump', KEPT);
    expect(pump.connack?.sessionPresent).toBe(false);
    expect(await retained(broker)).toEqual(['state']);
  });

  it.each([
    [{ kind: 'clear' } as const, []],
    [{ kind: 'publish', topic: 'devices/${device}/gone' } as const, ['devices/pump/gone', 'state']],
  ])('what it left behind is dealt with as the configuration says: %o', async (onRevoke, left) => {
    const { broker, fell } = await down(onRevoke);
    fell.set('a', revoked(false));
    await broker.restore();
    expect((await retained(broker)).sort()).toEqual(left);
  });

  it('one that others stand in for takes nothing, neither then nor at the next look', async () => {
    const { broker, fell } = await down({ kind: 'clear' });
    fell.set('a', revoked(true));
    await broker.restore();
    await broker.lookForRevoked();
    expect(away(broker).sort()).toEqual(['pump away', 'valve away']);
    expect(await retained(broker)).toEqual(['state']);
  });

  it('what is learnt after the start ends it then', async () => {
    const { broker, fell } = await down({ kind: 'clear' });
    await broker.restore();
    fell.set('a', revoked(false));
    await broker.lookForRevoked();
    await broker.advance(0);
    expect(away(broker)).toEqual(['valve away']);
    expect(await retained(broker)).toEqual([]);
  });
});

it('one whose proof is still under way is refused, and has no session', async () => {
  const { broker, fell } = plant();
  fell.set('a', revoked(false));
  const pump = broker.open(5, { address: 'a' });
  expect((await pump.connect('pump', KEPT)).reasonCode).toBe(0x87);
  expect(away(broker)).toEqual([]);
});

it('where nothing has fallen nothing ends', async () => {
  const { broker } = plant();
  const pump = await from(broker, 'a', 'pump', KEPT);
  await (await from(broker, 'a', 'pump/away', KEPT)).cut();
  await broker.lookForRevoked();
  await pump.ping();
  expect(away(broker)).toEqual(['pump connected', 'pump/away away']);
  expect(told(broker)).toEqual([]);
});
