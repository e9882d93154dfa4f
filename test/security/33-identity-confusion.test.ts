// One name, six realms: Motte's own CA, a foreign one, a user with a password, one by SCRAM, a device with a pre-shared key, and an
// issuer of tokens each prove a `pump-1`. They are six identities: with one client identifier none of them takes over, resumes,
// reads or disturbs what is another's, and none has rights that were given to another.

import { createHash } from 'node:crypto';
import type { Connect } from '@motte/wire';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createAccess } from '../../packages/broker/src/access/access.ts';
import { policyOf, roleOf } from '../../packages/broker/src/access/policy.ts';
import { createGuards } from '../../packages/broker/src/identity/guards.ts';
import { KeySet } from '../../packages/broker/src/identity/key-set.ts';
import { createPreSharedKeys } from '../../packages/broker/src/identity/psk.ts';
import { makeScramVerifier, type ScramVerifier } from '../../packages/broker/src/identity/scram/keys.ts';
import { createTokenProof } from '../../packages/broker/src/identity/token.ts';
import type { TokenIssuer } from '../../packages/broker/src/identity/token-issuers.ts';
import type { Access } from '../../packages/broker/src/ports/access.ts';
import type { ConnectionFacts, ListenerFacts, TlsFacts } from '../../packages/broker/src/ports/connection-facts.ts';
import type { IdentityDirectory, RegisteredIdentity, Verifier } from '../../packages/broker/src/ports/directory.ts';
import { identityKey } from '../../packages/broker/src/ports/identity.ts';
import { DEFAULT_LIMITS } from '../../packages/broker/src/ports/limits.ts';
import { type Broker, createBroker } from '../../packages/broker/src/start.ts';
import { CountedHashing, fakeHash, MemoryDirectory } from '../../packages/broker/src/testing/logins.ts';
import { ScramClient } from '../../packages/broker/src/testing/scram-client.ts';
import { createTestAuthority, derOf, type TestAuthority } from '../fixtures/certificates.ts';
import { keySetOf, TestIssuer } from '../fixtures/tokens.ts';
import { bareConfig } from '../harness/bare-config.ts';
import { accessOf, duplexPair, FakeClock, RawClient, SeededRandom, settleWith, will } from '../harness/index.ts';

const NAME = 'pump-1';
const PASSWORD = 'correct horse battery';
const ISSUER = 'https://login.plant.example';
const REALMS = ['ca:motte', 'ca:plant', 'password', 'scram', 'psk', `token:${ISSUER}`] as const;
type Realm = (typeof REALMS)[number];
const PAIRS = REALMS.flatMap((owner) => REALMS.filter((other) => other !== owner).map((other) => ({ owner, other })));
const KEPT = { cleanStart: false, properties: { sessionExpiryInterval: 600 } } as const;

let own: TestAuthority;
let plant: TestAuthority;
let certificates: { readonly own: Uint8Array; readonly plant: Uint8Array };
let scramVerifier: ScramVerifier;
let signer: TestIssuer;
beforeAll(async () => {
  own = createTestAuthority('Motte');
  plant = createTestAuthority('Plant');
  certificates = {
    own: derOf(own.issue(NAME).cert),
    plant: derOf(plant.issue(NAME, { subjectAltName: '' }).cert),
  };
  scramVerifier = (await makeScramVerifier(PASSWORD)) as ScramVerifier;
  signer = new TestIssuer('EdDSA');
});

interface Setting {
  /** Default: everything to everybody. */
  readonly access?: Access;
  /** Whose registration has the role `device`; the others have none at all. */
  readonly device?: Realm;
  readonly sessionsPerIdentityMax?: number;
}

class World {
  readonly clock = new FakeClock();
  readonly directory: IdentityDirectory;
  broker!: Broker;
  #proofs = 0;
  #settled = settleWith(() => this.#proofs > 0);
  readonly #broken: string[] = [];

  constructor({ device }: Setting) {
    // A minute ahead of the certificates.
    this.clock.advance(Date.now() - this.clock.nowMs() + 60_000);
    const registered = (realm: Realm, verifier?: Verifier): RegisteredIdentity => ({
      ...{ realm, name: NAME, state: 'active', addedAtMs: 0, roles: device === realm ? ['device'] : [] },
      kind: realm === 'password' || realm === 'scram' ? 'user' : 'device',
      ...(verifier === undefined ? {} : { verifier }),
    });
    this.directory = new MemoryDirectory(
      registered('ca:motte'),
      registered('ca:plant'),
      registered('password', { kind: 'argon2id', hash: fakeHash(PASSWORD) }),
      registered('scram', scramVerifier),
      registered('psk', { kind: 'psk', key: Buffer.alloc(32, 7).toString('base64') }),
    );
  }

  async open({ access, sessionsPerIdentityMax = 100 }: Setting): Promise<this> {
    const { clock, directory } = this;
    const keys = new KeySet({ read: async () => keySetOf(signer.jwk), monotonicMs: () => clock.monotonicMs() });
    await keys.refresh();
    const { proof, method } = createTokenProof({
      facts: {
        issuers: new Map([[ISSUER, { ...TOKENS, keys }]]),
        revocations: new Map(),
      },
      directory,
      nowMs: () => clock.nowMs(),
    });
    const issuers = [
      ...[own.root.cert, own.issuing.cert].map((pem) => ({ pem, realm: 'ca:motte' })),
      ...[plant.root.cert, plant.issuing.cert].map((pem) => ({ pem, realm: 'ca:plant' })),
    ];
    const trust = { number: 1, issuers, foreign: new Map([['ca:plant', {}]]) };
    const limits = { ...DEFAULT_LIMITS, sessionsPerIdentityMax };
    const guards = createGuards({
      ...{ directory, trust, clock, limits, hashing: new CountedHashing() },
      proofs: [proof],
      methods: new Map([method]),
    });
    this.broker = createBroker({
      config: bareConfig([], limits),
      ...{ directory, trust, clock, random: new SeededRandom() },
      access: access ?? accessOf(['allow all #']),
      guards: {
        ...guards,
        authenticate: async (evidence) => {
          this.#proofs += 1;
          return guards.authenticate(evidence).finally(() => (this.#proofs -= 1));
        },
      },
      observers: [(event) => event.name === 'broker.assertion' && this.#broken.push(event.why)],
    });
    return this;
  }

  /** As the `pump-1` of a realm, and by its name as the client identifier unless another is given. */
  async connect(realm: Realm, fields: Partial<Connect> = {}): Promise<RawClient> {
    const [ours, theirs] = duplexPair();
    const { listener, tls } = this.#wayOf(realm);
    this.broker.accept(theirs, { listener, tls, address: '192.0.2.1' } satisfies Partial<ConnectionFacts>);
    const client = new RawClient(ours, 5);
    const scram = new ScramClient({ name: NAME, password: PASSWORD });
    const proof = this.#proofOf(realm, scram);
    const properties = { ...fields.properties, ...proof.properties };
    client.send({
      ...{ type: 'connect', version: 5, clientId: NAME, cleanStart: true, keepAlive: 0 },
      ...{ ...fields, ...proof, properties },
    });
    if (realm === 'scram') {
      const { properties: asked } = await client.receive('auth');
      const authenticationData = scram.final(asked.authenticationData);
      client.send({
        type: 'auth',
        reasonCode: 0x18,
        properties: { authenticationMethod: scram.method, authenticationData },
      });
    }
    client.connack = await client.receive('connack');
    if (client.connack.reasonCode !== 0) throw new Error(`${realm} was refused: ${client.connack.reasonCode}`);
    return client;
  }

  async stop(): Promise<void> {
    await this.broker.stop(0);
    this.#settled();
    if (this.#broken.length > 0) throw new Error(`an invariant of the broker broke: ${this.#broken.join()}`);
  }

  #wayOf(realm: Realm): { listener: ListenerFacts; tls: TlsFacts } {
    const authentication = realm.startsWith('ca:') ? 'certificate' : realm.startsWith('token:') ? 'token' : realm;
    const certificate = realm === 'ca:motte' ? certificates.own : realm === 'ca:plant' ? certificates.plant : undefined;
    const fingerprint = certificate === undefined ? undefined : createHash('sha256').update(certificate).digest('hex');
    const keyId = createPreSharedKeys(this.directory)(NAME)?.keyId;
    return {
      listener: {
        ...{ name: realm, scheme: 'mqtts', role: undefined, clientIds: 'own', versions: [5] },
        authentication: authentication as ListenerFacts['authentication'],
        ...(realm === 'ca:plant' ? { clientCa: ['ca:plant'] } : {}),
      },
      tls: {
        ...{ protocol: 'TLSv1.3', cipher: '', resumed: false, serverName: undefined, certificate, fingerprint },
        ...(realm === 'psk' ? { psk: { identity: NAME, keyId } } : {}),
      },
    };
  }

  #proofOf(realm: Realm, scram: ScramClient): Partial<Connect> {
    const exp = Math.floor(this.clock.nowMs() / 1000) + 3_600;
    switch (realm) {
      case 'password':
        return { userName: NAME, password: Buffer.from(PASSWORD) };
      case 'scram':
        return { properties: { authenticationMethod: scram.method, authenticationData: scram.first } };
      case `token:${ISSUER}`:
        return { password: Buffer.from(signer.token({ iss: ISSUER, aud: 'motte', sub: NAME, exp })) };
      default:
        return {};
    }
  }
}

const TOKENS: Omit<TokenIssuer, 'keys'> = {
  issuer: ISSUER,
  audience: 'motte',
  algorithms: ['EdDSA'],
  nameClaim: 'sub',
  rolesClaim: 'roles',
  roles: new Map([['devices', 'device']]),
  names: undefined,
  kind: 'device',
  clockSkewMs: 0,
};

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.stop();
});

async function open(setting: Setting = {}): Promise<World> {
  const world = await new World(setting).open(setting);
  worlds.push(world);
  return world;
}

const labelOf = (realm: Realm): string => (realm === 'ca:motte' ? NAME : `${NAME}@${realm}`);

describe.each(PAIRS)('the session of $owner and a $other of the same name', ({ owner, other }) => {
  it('is neither taken over nor resumed, read or ended', async () => {
    const world = await open();
    const first = await world.connect(owner, KEPT);
    await first.subscribe({ filter: 'secret', qos: 1 });
    const second = await world.connect(other, KEPT);
    expect(second.connack?.sessionPresent).toBe(false);
    await first.ping();
    await second.deliver('secret', 'for the first');
    expect(await first.takeMessages(1)).toEqual(['for the first']);
    await second.expectNothing();
    await first.cut();
    await second.deliver('secret', 'kept for the first');
    // A clean start discards a session of its own, and no other.
    await second.disconnect();
    await (await world.connect(other)).disconnect();
    const third = await world.connect(other, KEPT);
    await third.expectNothing();
    const back = await world.connect(owner, KEPT);
    expect(back.connack?.sessionPresent).toBe(true);
    expect(await back.takeMessages(1)).toEqual(['kept for the first']);
    await third.ping();
  });

  it('keeps its will and its exchanges', async () => {
    const world = await open();
    const watcher = await world.connect(other, { clientId: `${NAME}/watcher` });
    await watcher.subscribe('last');
    await watcher.subscribe('done');
    const first = await world.connect(owner, { ...KEPT, will: will('last', 'word') });
    first.publish('done', 'x', { qos: 2, packetId: 9 });
    await first.receive('pubrec');
    const second = await world.connect(other, KEPT);
    second.ack('pubrel', 9);
    await second.receive('pubcomp');
    await second.disconnect();
    await watcher.expectNothing();
    first.ack('pubrel', 9);
    await first.receive('pubcomp');
    expect(await watcher.takeMessages(1)).toEqual(['x']);
    await first.cut();
    expect(await watcher.takeMessages(1)).toEqual(['word']);
  });

  it('does not end when the other is kicked or taken away, and what is retained stays its own', async () => {
    const world = await open();
    const first = await world.connect(owner, KEPT);
    const second = await world.connect(other, KEPT);
    expect(world.broker.clients().map(({ identity }) => identity)).toEqual([labelOf(owner), labelOf(other)]);
    expect(world.broker.kick({ identity: labelOf(other) })).toBe(1);
    await second.expectDisconnected('administrative-action');
    await first.ping();
    await world.connect(other, KEPT);
    expect(world.broker.endConnections({ realm: other, name: NAME })).toBe(1);
    if (!other.startsWith('token:')) {
      await world.directory.remove(other, NAME);
      world.broker.lookForRevoked();
    }
    await first.ping();
    expect(world.broker.clients().find(({ identity }) => identity === labelOf(owner))).toMatchObject({
      state: 'connected',
    });
  });
});

describe.each(PAIRS)('rights of $owner, and $other of the same name', ({ owner, other }) => {
  it('are not shared', async () => {
    const role = roleOf('device', ['allow publish devices/pump-1/up/#', 'allow subscribe devices/pump-1/down/#']);
    // A token brings its roles along; a group names an identity, whatever proves it.
    const members = [identityKey({ realm: owner, name: NAME })];
    const groups = [{ name: 'pumps', roles: ['device'], members, place: '' }];
    const world = await open({ access: createAccess(policyOf([role], { groups })) });
    const first = await world.connect(owner);
    expect(await first.deliver('devices/pump-1/up/t', '21')).not.toBe(0x87);
    const second = await world.connect(other);
    expect(await second.deliver('devices/pump-1/up/t', '99')).toBe(0x87);
    expect((await second.subscribe('devices/pump-1/down/#')).reasonCodes).toEqual([0x87]);
  });
});

it.each(REALMS.filter((realm) => !realm.startsWith('token:')))(
  'the registered role of %s counts for it alone',
  async (device) => {
    const world = await open({ access: createAccess(), device });
    for (const realm of REALMS) {
      const client = await world.connect(realm);
      // `${device}` is nobody's name who is a user.
      const isAllowed = realm === device && realm !== 'password' && realm !== 'scram';
      const code = await client.deliver('devices/pump-1/up/t', '21');
      expect([realm, code === 0x87]).toEqual([realm, !isAllowed]);
    }
  },
);

it('all six are there at once, each with its own session and its own count of them', async () => {
  const world = await open({ sessionsPerIdentityMax: 1 });
  for (const realm of REALMS) await world.connect(realm, KEPT);
  const rows = world.broker.clients().map(({ identity, clientId }) => `${identity} ${clientId}`);
  expect(rows.sort()).toEqual(REALMS.map((realm) => `${labelOf(realm)} ${NAME}`).sort());
});
