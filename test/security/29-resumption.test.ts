// Row 29 of the threats: a resumed TLS session skips every check that TLS makes of a certificate (the class of
// CVE-2025-23419). Tickets must not cross listeners, and what a ticket stands for is proven again at every CONNECT.

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createProve, type Prove } from '../../packages/broker/src/identity/prove.ts';
import type { ListenerConfig } from '../../packages/broker/src/ports/config.ts';
import type { ConnectionFacts } from '../../packages/broker/src/ports/connection-facts.ts';
import type { RegisteredIdentity } from '../../packages/broker/src/ports/directory.ts';
import { revokedKey, type TrustFacts } from '../../packages/broker/src/ports/trust.ts';
import type { Pair } from '../fixtures/certificates.ts';
import { createPlant } from '../fixtures/plant.ts';
import type { TestListener } from '../fixtures/test-listener.ts';
import { FakeClock } from '../harness/fake-clock.ts';

const OWN = 'ca:motte';
const PUMP: RegisteredIdentity = {
  realm: OWN,
  name: 'pump-1',
  kind: 'device',
  roles: [],
  state: 'active',
  addedAtMs: 0,
};

const { authority, foreign, material, pump, connect, ...plant } = createPlant();
const open = (config: Partial<ListenerConfig> = {}): Promise<TestListener> => plant.open({ config });

interface Visit {
  readonly facts: ConnectionFacts;
  readonly session: Buffer;
}

/** Connects as the pump, with a ticket where there is one, and stays until a ticket came. */
async function visit(
  listener: TestListener,
  version: 'TLSv1.2' | 'TLSv1.3',
  session?: Buffer,
  pair: Partial<Pair> = pump,
): Promise<Visit> {
  const n = listener.accepted.length;
  const options = { ca: [authority.ca, foreign.ca], maxVersion: version, ...pair };
  const client = connect(listener, session === undefined ? options : { ...options, session });
  const ticket = new Promise<Buffer | undefined>((resolve) => {
    client.once('session', resolve);
    // A resumed TLS 1.2 session may bring no new ticket.
    if (session !== undefined) client.once('secureConnect', () => resolve(undefined));
  });
  const { facts } = await listener.connection(n);
  return { facts, session: (await ticket) ?? (session as Buffer) };
}

interface Proof {
  readonly prove: Prove;
  readonly clock: FakeClock;
  readonly trust: { -readonly [K in keyof TrustFacts]: TrustFacts[K] };
  readonly revoked: Set<string>;
}

function proof(): Proof {
  const clock = new FakeClock();
  // A minute ahead: certificates made later in the test begin before it.
  clock.advance(Date.now() - clock.nowMs() + 60_000);
  const revoked = new Set<string>();
  const find = (key: string) => (revoked.has(key) ? { superseded: false } : undefined);
  const trust = { number: 1, issuers: [{ pem: authority.issuing.cert, realm: OWN }], revoked: { find } };
  const directory = {
    find: (realm: string, name: string) => (realm === OWN && name === 'pump-1' ? PUMP : undefined),
    list: () => [PUMP],
    put: async () => undefined,
    remove: async () => false,
  };
  return { prove: createProve({ clock, directory, trust }), clock, trust, revoked };
}

function connectOf(facts: ConnectionFacts): Parameters<Prove>[0] {
  return { facts, clientId: 'pump-1', userName: undefined, password: undefined, method: undefined, data: undefined };
}

describe.each([['TLSv1.2'], ['TLSv1.3']] as const)('a ticket of %s', (version) => {
  it('resumes on its listener and proves the same identity', async () => {
    const listener = await open();
    const { prove } = proof();
    const first = await visit(listener, version);
    expect(first.facts.tls).toMatchObject({ protocol: version, resumed: false });
    expect(prove(connectOf(first.facts))).toMatchObject({ allow: true, identity: { name: 'pump-1' } });
    const second = await visit(listener, version, first.session);
    expect(second.facts.tls).toMatchObject({ resumed: true, fingerprint: first.facts.tls?.fingerprint });
    expect(prove(connectOf(second.facts))).toMatchObject({ allow: true, identity: { name: 'pump-1' } });
  });

  it('is worth nothing on another listener, whether that trusts the same CA, another, or anyone', async () => {
    const { session } = await visit(await open({ name: 'one' }), version);
    const other = await open({ name: 'two' });
    expect((await visit(other, version, session)).facts.tls?.resumed).toBe(false);
    const anyone = await open({ name: 'lab', authentication: 'none' });
    const lab = await visit(anyone, version, session);
    expect(lab.facts.tls).toMatchObject({ resumed: false, certificate: undefined });
    const again = await visit(other, version, lab.session);
    expect(again.facts.tls?.resumed).toBe(false);
    const strict = await plant.open({ material: { ...material, clientCa: foreign.ca }, config: { name: 'three' } });
    connect(strict, { maxVersion: version, session, ...pump });
    expect(await strict.refusal()).toMatchObject({ because: expect.stringContaining('a foreign certificate') });
  });

  it('of a client without a certificate does not open a listener that demands one', async () => {
    const lab = await visit(await open({ name: 'lab', authentication: 'none' }), version, undefined, {});
    const strict = await open({ name: 'devices' });
    connect(strict, { maxVersion: version, session: lab.session });
    expect(await strict.refusal()).toMatchObject({ because: expect.stringContaining('no certificate') });
    expect(strict.accepted).toHaveLength(0);
  });

  it('does not outlive the certificate, a revocation, or the trust in the CA', async () => {
    const listener = await open();
    const { prove, clock, trust, revoked } = proof();
    const first = await visit(listener, version);
    expect(prove(connectOf(first.facts))?.allow).toBe(true);
    const { facts } = await visit(listener, version, first.session);
    expect(facts.tls?.resumed).toBe(true);
    clock.advance(21 * 86_400_000);
    expect(prove(connectOf(facts))).toMatchObject({ because: expect.stringContaining('has expired') });
    clock.advance(-21 * 86_400_000);
    expect(prove(connectOf(facts))?.allow).toBe(true);
    const { X509Certificate } = await import('node:crypto');
    revoked.add(revokedKey(OWN, new X509Certificate(pump.cert).serialNumber));
    expect(prove(connectOf(facts))).toMatchObject({ rule: 'identity.revocation' });
    revoked.clear();
    trust.number = 2;
    expect(prove(connectOf(facts))).toMatchObject({ rule: 'identity.resumption' });
  });

  it('survives a new server certificate, but not a new client CA', async () => {
    const listener = await open();
    const first = await visit(listener, version);
    listener.listener.setTls({ ...authority.server(), clientCa: authority.ca });
    const second = await visit(listener, version, first.session);
    expect(second.facts.tls?.resumed).toBe(true);
    listener.listener.setTls({ ...material, clientCa: authority.ca + foreign.ca });
    const third = await visit(listener, version, second.session);
    expect(third.facts.tls?.resumed).toBe(false);
  });

  it('that was never seen in a full handshake by the proof is refused', async () => {
    const listener = await open();
    const first = await visit(listener, version);
    const second = await visit(listener, version, first.session);
    const afterRestart = proof();
    expect(afterRestart.prove(connectOf(second.facts))).toMatchObject({ allow: false, rule: 'identity.resumption' });
    expect(afterRestart.prove(connectOf(first.facts))?.allow).toBe(true);
  });
});

it('a foreign client gets no ticket that is worth anything', async () => {
  const listener = await open();
  const stranger = foreign.issue('pump-1');
  const client = connect(listener, stranger);
  let session: Buffer | undefined;
  client.on('session', (ticket: Buffer) => {
    session = ticket;
  });
  await Promise.all([listener.refusal(), once(client, 'close').catch(() => undefined)]);
  connect(listener, session === undefined ? stranger : { session, ...stranger });
  expect(await listener.refusal(1)).toMatchObject({ because: expect.stringContaining('a foreign certificate') });
  expect(listener.accepted).toHaveLength(0);
});
