// The real broker in memory: its own store, a clock the test owns, no listener. Clients come in over duplex pairs.

import type { Duplex } from 'node:stream';
import { type Broker, createBroker } from '@motte/broker';
import type { OnRevoke } from '@motte/broker/ports/config';
import type { Connect, ProtocolVersion } from '@motte/wire';
import { onTestFinished } from 'vitest';
import type { Policy } from '../../packages/broker/src/access/policy.ts';
import type { BrokerEvent } from '../../packages/broker/src/events.ts';
import { createStanding } from '../../packages/broker/src/identity/standing.ts';
import type { Access } from '../../packages/broker/src/ports/access.ts';
import type { ConnectionFacts, ListenerFacts } from '../../packages/broker/src/ports/connection-facts.ts';
import type { Counters } from '../../packages/broker/src/ports/counters.ts';
import type { IdentityDirectory, RegisteredIdentity } from '../../packages/broker/src/ports/directory.ts';
import type { CheckOutsider, Fallen, Guards } from '../../packages/broker/src/ports/guards.ts';
import { type Identity, identityKey } from '../../packages/broker/src/ports/identity.ts';
import { DEFAULT_LIMITS, type Limits } from '../../packages/broker/src/ports/limits.ts';
import type { Store } from '../../packages/broker/src/ports/store.ts';
import { ALLOW } from '../../packages/broker/src/ports/verdict.ts';
import { ANONYMOUS, bareConfig, NO_TRUST, unopened } from './bare-config.ts';
import { duplexPair, settle } from './duplex-pair.ts';
import { FakeClock, FakeGauge, SeededRandom } from './fake-clock.ts';
import { RawClient } from './raw-client.ts';
import { ALLOW_ALL, accessOf, type TestAccess } from './rules.ts';

export interface TestBrokerOptions {
  readonly limits?: Partial<Limits>;
  /** Rules in the words of the policy; default everything. */
  readonly rules?: readonly string[];
  /** Takes the place of the rules: the policy itself, where that is the subject. */
  readonly access?: Access;
  /** Takes the place of both: decided by the access that the broker makes for itself. */
  readonly policy?: Policy;
  /** Who a client is, by its client identifier; default one anonymous identity for all. */
  readonly identities?: (clientId: string) => Identity;
  /** Takes the place of the proof of identity altogether. */
  readonly authenticate?: Guards['authenticate'];
  /** What the listener is said to be; default `none`, role `lab`, any client identifier. */
  readonly listener?: Partial<ListenerFacts>;
  /** To start again on what an earlier broker left; `restore` brings it back. */
  readonly store?: Store;
  /** Goes on where the clock of an earlier broker stands. */
  readonly clock?: FakeClock;
  /** Who is registered when sessions come back; default nobody. */
  readonly registered?: readonly RegisteredIdentity[];
  /** With `identities`: whoever is not registered, or no longer, may not stay. */
  readonly endsWithRegistry?: boolean;
  /** With `identities`: what does not hold any more is said by the test. */
  readonly standing?: NonNullable<Guards['standing']>;
  /** With `identities`: the serial number of the certificate that a connection shows; default none. */
  readonly serialOf?: (facts: ConnectionFacts) => string;
  /** With `serialOf`: how a certificate was taken back. */
  readonly takenBack?: (serial: string) => Fallen | undefined;
  /** Why whoever is in no registry can be proven no more; default everybody can. */
  readonly checkOutsider?: CheckOutsider;
  /** What becomes of the retained messages of those who are taken out of the registry; default they stay. */
  readonly onRevoke?: OnRevoke;
}

export type ConnectFields = Partial<Omit<Connect, 'type'>>;

export class TestBroker {
  readonly clock: FakeClock;
  readonly gauge = new FakeGauge();
  readonly access: TestAccess;
  readonly directory: IdentityDirectory;
  readonly events: BrokerEvent[] = [];
  readonly #broker: ReturnType<typeof createBroker>;
  readonly #listener: ListenerFacts;
  #stopped = false;

  constructor(options: TestBrokerOptions = {}) {
    this.access = accessOf(options.rules ?? ALLOW_ALL);
    this.clock = options.clock ?? new FakeClock();
    this.#listener = { ...ANONYMOUS, ...options.listener };
    this.directory = directoryOf(options.registered ?? []);
    const guards = guardsOf(options, this.directory);
    this.#broker = createBroker({
      config: {
        ...bareConfig([unopened(this.#listener)], { ...DEFAULT_LIMITS, ...options.limits }),
        ...(options.onRevoke === undefined ? {} : { onRevoke: options.onRevoke }),
      },
      directory: this.directory,
      trust: NO_TRUST,
      clock: this.clock,
      random: new SeededRandom(),
      gauge: this.gauge,
      ...(options.policy === undefined ? { access: options.access ?? this.access } : { policy: options.policy }),
      observers: [(event) => this.events.push(event)],
      ...(guards === undefined ? {} : { guards }),
      ...(options.store === undefined ? {} : { store: options.store }),
      ...(options.checkOutsider === undefined ? {} : { checkOutsider: options.checkOutsider }),
    });
  }

  /** A new connection on which nothing was sent yet. */
  open(version: ProtocolVersion = 5, facts: Partial<ConnectionFacts> = {}): RawClient {
    const [ours, theirs] = duplexPair();
    this.serve(theirs, facts);
    return new RawClient(ours, version);
  }

  /** Serves the broker's end of a connection whose other end the test keeps for itself. */
  serve(stream: Duplex, facts: Partial<ConnectionFacts> = {}): void {
    this.#broker.accept(stream, { listener: this.#listener, address: '127.0.0.1', ...facts });
  }

  /** A client that CONNECT was accepted from; clean start and no keep-alive unless given. */
  async connect(clientId: string, fields: ConnectFields = {}): Promise<RawClient> {
    const { version = 5, ...rest } = fields;
    const client = this.open(version);
    const { reasonCode } = await client.connect(clientId, rest);
    if (reasonCode !== 0) throw new Error(`the broker refused ${clientId}: 0x${reasonCode.toString(16)}`);
    return client;
  }

  /** Live connections as an administrator sees them. */
  clients(): ReturnType<ReturnType<typeof createBroker>['clients']> {
    return this.#broker.clients();
  }

  get counters(): Counters {
    return this.#broker.counters;
  }

  /** Puts another policy in force, where one was given; what ended with the one before. */
  usePolicy(policy: Policy): ReturnType<ReturnType<typeof createBroker>['usePolicy']> {
    return this.#broker.usePolicy(policy);
  }

  /** What keeps the broker from being well, as `motte status` shows it. */
  get findings(): readonly string[] {
    return this.#broker.findings().map(({ subject, why }) => `${subject}: ${why}`);
  }

  /** Writes down what the identity does. */
  watch(identity: Pick<Identity, 'realm' | 'name'>, seconds: number): ReturnType<Broker['watch']> {
    return this.#broker.watch(identity, seconds);
  }

  /** Something was taken back: the broker looks at everybody, and all is at rest again. */
  async lookForRevoked(): Promise<void> {
    this.#broker.lookForRevoked();
    await settle();
  }

  /** Proofs that are in no registry were taken back, and all is at rest again. */
  async endProofs(query: Parameters<Broker['endProofs']>[0]): Promise<ReturnType<Broker['endProofs']>> {
    const ended = this.#broker.endProofs(query);
    await settle();
    return ended;
  }

  /** What an identity lost just now. */
  takenFrom(identity: Pick<Identity, 'realm' | 'name'>): ReturnType<ReturnType<typeof createBroker>['takenFrom']> {
    return this.#broker.takenFrom(identity);
  }

  /** Lets this much time pass, deadlines included, and waits until everything is at rest. */
  async advance(ms: number): Promise<void> {
    await settle();
    this.clock.advance(ms);
    this.#broker.tick();
    await settle();
  }

  /** Lets this much time pass in which the broker is too busy to look at anything: bytes that come meanwhile wait. */
  stall(ms: number): void {
    this.clock.advance(ms);
    this.#broker.tick(ms);
  }

  /** Brings back what the store kept. */
  restore(): Promise<void> {
    return this.#broker.restore();
  }

  /** Ends the broker; fails if one of its invariants broke meanwhile. */
  async stop(graceMs = 0): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#broker.stop(graceMs);
    this.#checkInvariants();
  }

  /** Its process died: whatever it does from now on reaches nobody. */
  abandon(): void {
    this.#stopped = true;
    this.#checkInvariants();
  }

  #checkInvariants(): void {
    const broken = this.events.filter((event) => event.name === 'broker.assertion');
    if (broken.length > 0) throw new Error(`an invariant of the broker broke: ${JSON.stringify(broken)}`);
  }
}

/** A broker in memory; within a test it ends with the test, and the test fails if an invariant broke. */
export function startTestBroker(options?: TestBrokerOptions): TestBroker {
  const broker = new TestBroker(options);
  onTestFinished(() => broker.stop());
  return broker;
}

function directoryOf(registered: readonly RegisteredIdentity[]): IdentityDirectory {
  const identities = new Map(registered.map((one) => [identityKey(one), one]));
  const listeners: Parameters<NonNullable<IdentityDirectory['watch']>>[0][] = [];
  const tell = (identity: Pick<RegisteredIdentity, 'realm' | 'name'>): void => {
    for (const listener of listeners) listener(identity);
  };
  return {
    find: (realm, name) => identities.get(identityKey({ realm, name })),
    list: () => [...identities.values()],
    put: async (identity) => {
      identities.set(identityKey(identity), identity);
      tell(identity);
    },
    remove: async (realm, name) => {
      const was = identities.delete(identityKey({ realm, name }));
      tell({ realm, name });
      return was;
    },
    watch: (listener) => void listeners.push(listener),
  };
}

const certificate = (serial: string) => ({ realm: 'ca:motte', name: '', serial, issuer: 'ca', der: new Uint8Array() });

function guardsOf(
  { identities, authenticate, endsWithRegistry, standing, serialOf, takenBack }: TestBrokerOptions,
  directory: IdentityDirectory,
): Guards | undefined {
  if (authenticate) return { admit: () => ALLOW, authenticate };
  if (identities === undefined) return undefined;
  const registered = createStanding({ directory, trust: NO_TRUST, proofs: new WeakMap() });
  const stands = standing ?? (endsWithRegistry === true ? registered : undefined);
  return {
    admit: () => ALLOW,
    authenticate: ({ clientId }) =>
      Promise.resolve({ allow: true, identity: identities(clientId), data: undefined, expiresAtMs: 0 }),
    takenBack: (_identity, { serial }) => takenBack?.(serial),
    ...(serialOf === undefined ? {} : { certificateOf: (facts) => certificate(serialOf(facts)) }),
    ...(stands === undefined ? {} : { standing: stands }),
  };
}
