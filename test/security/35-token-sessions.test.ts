// A connection lives as long as the token that proved it. Only the same identity may extend it, by authenticating again, and
// what its new token no longer grants ends there and then.

import type { Connect } from '@motte/wire';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAccess } from '../../packages/broker/src/access/access.ts';
import type { BrokerEvent } from '../../packages/broker/src/events.ts';
import { createGuards } from '../../packages/broker/src/identity/guards.ts';
import { KeySet } from '../../packages/broker/src/identity/key-set.ts';
import { createTokenProof } from '../../packages/broker/src/identity/token.ts';
import type { TokenIssuer } from '../../packages/broker/src/identity/token-issuers.ts';
import { DEFAULT_LIMITS } from '../../packages/broker/src/ports/limits.ts';
import { checkRevoked, choiceKey, type TokenRevocation } from '../../packages/broker/src/ports/token-desk.ts';
import { type Broker, createBroker } from '../../packages/broker/src/start.ts';
import { MemoryStore } from '../../packages/broker/src/store/memory/memory-store.ts';
import { keySetOf, TestIssuer } from '../fixtures/tokens.ts';
import { bareConfig, NO_TRUST, NOBODY } from '../harness/bare-config.ts';
import { duplexPair, settle } from '../harness/duplex-pair.ts';
import { FakeClock, FakeGauge, SeededRandom } from '../harness/fake-clock.ts';
import { RawClient } from '../harness/raw-client.ts';

const ISSUER = 'https://login.plant.example';
const WHY = { because: 'it was revoked', rule: 'identity.tokens.revoked' };

let signer: TestIssuer;
let clock: FakeClock;
let broker: Broker;
let refusals: string[];
const revocations = new Map<string, TokenRevocation>();
let late: (() => void) | undefined;
/** What the store has to answer yet; undefined = it answers in the next turn. */
let held: (() => void)[] | undefined;
/** Proofs under way: signatures are checked in other threads, which no turn of the event loop waits for. */
const proofs: unknown[] = [];
beforeAll(() => {
  signer = new TestIssuer('EdDSA');
});

beforeEach(async () => {
  clock = new FakeClock();
  refusals = [];
  revocations.clear();
  held = undefined;
  late = undefined;
  const keys = new KeySet({ read: async () => keySetOf(signer.jwk), monotonicMs: () => clock.monotonicMs() });
  await keys.refresh();
  const issuer: TokenIssuer = {
    issuer: ISSUER,
    audience: 'motte',
    algorithms: ['EdDSA'],
    keys,
    nameClaim: 'sub',
    rolesClaim: 'roles',
    roles: new Map([
      ['devices', 'device'],
      ['operators', 'operator'],
    ]),
    names: undefined,
    kind: 'device',
    clockSkewMs: 0,
  };
  const { proof, method } = createTokenProof({
    facts: { issuers: new Map([[ISSUER, issuer]]), revocations },
    directory: NOBODY,
    nowMs: () => clock.nowMs(),
  });
  broker = createBroker({
    config: bareConfig(),
    directory: NOBODY,
    trust: NO_TRUST,
    clock,
    random: new SeededRandom(),
    gauge: new FakeGauge(),
    access: createAccess(),
    store: new MemoryStore({ defer: (answer) => (held === undefined ? setImmediate(answer) : held.push(answer)) }),
    guards: createGuards({
      directory: NOBODY,
      trust: NO_TRUST,
      clock,
      limits: DEFAULT_LIMITS,
      checkOutsider: ({ name, token }) => checkRevoked(revocations, ISSUER, { name, id: token, nowMs: clock.nowMs() }),
      proofs: [(evidence) => watched(proof(evidence))],
      methods: new Map([[method[0], (evidence, base) => watched(method[1](evidence, base))]]),
    }),
    observers: [
      (event) => {
        if (event.name === 'peer.refused') refusals.push(event.because);
        if (event.name === 'broker.assertion') throw new Error(event.why);
      },
    ],
  });
});
afterEach(() => broker.stop(0));

/** Every proof; what happens late does so when the token was found good, and before that is told. */
function watched<T>(outcome: T): T | Promise<Awaited<T>> {
  proofs.push(outcome);
  if (late === undefined) return outcome;
  const done = Promise.resolve(outcome).then((proven) => {
    late?.();
    return proven;
  });
  proofs.push(done);
  return done;
}

async function settleProofs(): Promise<void> {
  await settle();
  await Promise.all(proofs.splice(0));
}

function tokenOf(sub: string, seconds: number, roles: readonly string[] = ['devices'], jti?: string): Uint8Array {
  const now = Math.floor(clock.nowMs() / 1000);
  return Buffer.from(signer.token({ iss: ISSUER, aud: 'motte', sub, exp: now + seconds, roles, jti }));
}

function open(version: 4 | 5 = 5): RawClient {
  const [ours, theirs] = duplexPair();
  const listener = {
    name: 'panel',
    scheme: 'wss',
    authentication: 'token',
    role: undefined,
    clientIds: 'own',
  } as const;
  broker.accept(theirs, { listener: { ...listener, versions: [4, 5] }, address: '127.0.0.1' });
  return new RawClient(ours, version);
}

/** The code of the CONNACK. */
async function code(client: RawClient, clientId: string, fields: Partial<Connect>): Promise<number> {
  const { version } = client;
  client.send({ type: 'connect', version, clientId, cleanStart: true, keepAlive: 0, properties: {}, ...fields });
  await settleProofs();
  return (await client.receive('connack')).reasonCode;
}

async function connect(data: Uint8Array, name = 'pump-1', sessionExpiryInterval = 0): Promise<RawClient> {
  const client = open();
  const properties = { authenticationMethod: 'JWT', authenticationData: data, sessionExpiryInterval };
  expect(await code(client, name, { properties })).toBe(0);
  return client;
}

async function again(client: RawClient, data: Uint8Array): Promise<void> {
  client.send({
    type: 'auth',
    reasonCode: 0x19,
    properties: { authenticationMethod: 'JWT', authenticationData: data },
  });
  await settleProofs();
}

async function pass(seconds: number): Promise<void> {
  await settle();
  clock.advance(seconds * 1000);
  broker.tick();
  await settle();
}

describe('a connection proven by a token', () => {
  it('ends when the token does, MQTT 3.1.1 and 5.0', async () => {
    const new5 = await connect(tokenOf('pump-1', 60));
    const old = open(4);
    const login = { userName: 'pump-2', password: tokenOf('pump-2', 60) };
    expect(await code(old, 'pump-2', login)).toBe(0);
    await pass(59);
    expect([new5.closed, old.closed]).toEqual([false, false]);
    await pass(1);
    expect((await new5.receive('disconnect')).reasonCode).toBe(0x87);
    expect(old.closed).toBe(true);
    expect(refusals).toEqual(Array(2).fill('the certificate or token that proved this client has expired'));
  });

  it('goes on when the same identity authenticates again in time, as often as it likes', async () => {
    const client = await connect(tokenOf('pump-1', 60));
    for (let n = 0; n < 3; n++) {
      await pass(50);
      await again(client, tokenOf('pump-1', 60));
      expect(await client.receive('auth')).toMatchObject({
        reasonCode: 0,
        properties: { authenticationMethod: 'JWT' },
      });
    }
    await pass(59);
    expect(client.closed).toBe(false);
    await pass(1);
    expect((await client.receive('disconnect')).reasonCode).toBe(0x87);
  });

  it.each<[string, () => Uint8Array, string]>([
    [
      "another's token",
      () => tokenOf('pump-2', 600),
      `proved pump-2@token:${ISSUER} on a connection of another identity`,
    ],
    ['a token that has ended', () => tokenOf('pump-1', -1), 'the token has expired'],
    ['no token', () => new Uint8Array(0), 'not a signed token'],
  ])('ends at once with %s', async (_what, data, because) => {
    const client = await connect(tokenOf('pump-1', 60));
    await again(client, data());
    expect((await client.receive('disconnect')).reasonCode).toBe(0x87);
    expect(refusals).toEqual([expect.stringContaining(because)]);
  });

  it('loses the subscriptions that its new token no longer grants', async () => {
    const client = await connect(tokenOf('pump-1', 60, ['devices', 'operators']));
    expect((await client.subscribe('devices/#')).reasonCodes).toEqual([2]);
    await again(client, tokenOf('pump-1', 60, ['devices']));
    expect(await client.receive('auth')).toMatchObject({ reasonCode: 0 });
    expect((await client.receive('disconnect')).reasonCode).toBe(0x87);
    expect(broker.clients()).toEqual([]);
  });

  it('gets the rights that its new token grants', async () => {
    const client = await connect(tokenOf('pump-1', 60, []));
    expect((await client.subscribe('devices/#')).reasonCodes).toEqual([0x87]);
    await again(client, tokenOf('pump-1', 60, ['operators']));
    expect(await client.receive('auth')).toMatchObject({ reasonCode: 0 });
    expect((await client.subscribe('devices/#')).reasonCodes).toEqual([2]);
    expect(broker.clients()).toMatchObject([{ identity: `pump-1@token:${ISSUER}`, roles: ['operator'] }]);
  });

  it('is found by the identifier of the token that proved it last', async () => {
    const realm = `token:${ISSUER}`;
    const client = await connect(tokenOf('pump-1', 60, [], 'first'));
    const other = await connect(tokenOf('pump-2', 60, [], 'other'), 'pump-2');
    await again(client, tokenOf('pump-1', 60, [], 'second'));
    await client.receive('auth');
    const revoke = (of: string, id: string) => broker.endProofs({ realm: of, token: id, ...WHY }).connections;
    expect(revoke(realm, 'first')).toBe(0);
    expect(revoke('token:https://else', 'second')).toBe(0);
    expect(revoke(realm, 'second')).toBe(1);
    await settle();
    expect([client.closed, other.closed]).toEqual([true, false]);
    expect(broker.kick({ realm })).toBe(1);
  });
});

describe('what rests on tokens that are taken no more', () => {
  const realm = `token:${ISSUER}`;
  const away = async (name: string): Promise<void> => {
    const client = await connect(tokenOf(name, 60, ['operators'], `${name}-1`), name, 3600);
    await client.subscribe('devices/#');
    await client.cut();
  };
  const states = () =>
    broker
      .clients()
      .map(({ identity, state }) => `${identity.split('@')[0]} ${state}`)
      .sort();

  it('a token: its connections, told with the reason, and no session', async () => {
    const client = await connect(tokenOf('pump-1', 60, [], 'stolen'), 'pump-1', 3600);
    const seen: BrokerEvent[] = [];
    broker.observe((event) => seen.push(event));
    const end = Math.floor(clock.nowMs() / 1000) + 60;
    expect(broker.endProofs({ realm, token: 'stolen', ...WHY })).toEqual({
      connections: 1,
      sessions: 0,
      endsAtMs: end * 1000,
    });
    expect(await client.receive('disconnect')).toMatchObject({ reasonCode: 0x98 });
    expect(seen).toContainEqual(expect.objectContaining({ name: 'peer.refused', ...WHY, seen: 'DISCONNECT 0x98' }));
    await settle();
    expect(states()).toEqual(['pump-1 away']);
  });

  it('a token whose client waits for its session to be opened: it does not get in', async () => {
    held = [];
    const client = open();
    const properties = { authenticationMethod: 'JWT', authenticationData: tokenOf('pump-1', 60, [], 'stolen') };
    const fields = { cleanStart: false, keepAlive: 0, properties } as const;
    client.send({ type: 'connect', version: 5, clientId: 'pump-1', ...fields });
    await settleProofs();
    await settle();
    expect(broker.clients()).toMatchObject([{ clientId: 'pump-1', state: 'opening' }]);
    expect(broker.endProofs({ realm, token: 'stolen', ...WHY })).toMatchObject({ connections: 1 });
    for (const answer of held.splice(0)) answer();
    held = undefined;
    expect((await client.receive('connack')).reasonCode).toBe(0x87);
    await settle();
    expect(states()).toEqual([]);
  });

  it('a token that is revoked while it is looked at proves nothing, at CONNECT and later', async () => {
    const client = await connect(tokenOf('pump-1', 60, [], 'good'));
    const choice = { issuer: ISSUER, id: 'stolen' };
    // The signature is checked by another thread: what is written meanwhile counts.
    late = () => revocations.set(choiceKey(choice), { ...choice, revokedAtMs: 0, untilMs: 0 });
    const other = open();
    const properties = { authenticationMethod: 'JWT', authenticationData: tokenOf('pump-2', 60, [], 'stolen') };
    expect(await code(other, 'pump-2', { properties })).toBe(0x87);
    revocations.clear();
    await again(client, tokenOf('pump-1', 60, [], 'stolen'));
    expect(await client.receive('disconnect')).toMatchObject({ reasonCode: 0x87 });
    expect(refusals).toEqual(['the token "stolen" was revoked', 'the token "stolen" was revoked']);
  });

  it('a name: all that it has; the others stay', async () => {
    await away('pump-1');
    await away('pump-2');
    const client = await connect(tokenOf('pump-1', 60), 'pump-1/a');
    expect(broker.endProofs({ realm, name: 'pump-1', ...WHY })).toMatchObject({ connections: 1, sessions: 2 });
    await settle();
    expect(client.closed).toBe(true);
    expect(states()).toEqual(['pump-2 away']);
  });

  it('an issuer: everybody, whoever is away included', async () => {
    await away('pump-1');
    await connect(tokenOf('pump-2', 60), 'pump-2');
    expect(broker.endProofs({ realm: 'token:else', ...WHY })).toMatchObject({ connections: 0, sessions: 0 });
    expect(broker.endProofs({ realm, ...WHY })).toMatchObject({ connections: 1, sessions: 2 });
    await settle();
    expect(states()).toEqual([]);
  });
});

describe('a listener for tokens', () => {
  it('[MQTT-4.12.0-1] takes no other method, and no password that is not a token', async () => {
    const scram = open();
    const properties = { authenticationMethod: 'SCRAM-SHA-256', authenticationData: Uint8Array.of(1) };
    expect(await code(scram, 'pump-1', { properties })).toBe(0x8c);
    const guess = open();
    expect(await code(guess, 'pump-1', { userName: 'pump-1', password: Buffer.from('x') })).toBe(0x87);
    const nothing = open();
    expect(await code(nothing, 'pump-1', {})).toBe(0x87);
  });

  it("holds the client identifier to the token's name", async () => {
    const client = open();
    expect(await code(client, 'pump-2', { password: tokenOf('pump-1', 60) })).toBe(0x85);
  });
});
