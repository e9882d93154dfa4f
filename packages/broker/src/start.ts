// Puts the broker together: the only file that imports every folder. What it is made of is decided here and nowhere else.

import type { Duplex } from 'node:stream';
import { parseTopicName } from '@motte/wire';
import { createAccess, type PolicyAccess } from './access/access.ts';
import type { Policy } from './access/policy.ts';
import { type Replayed, replayPolicy } from './access/replay.ts';
import { Watches } from './access/watches.ts';
import { ALONE } from './cluster/alone.ts';
import { clientRows, kickClients } from './core/client-rows.ts';
import { Core } from './core/core.ts';
import { endConnections } from './core/end-connections.ts';
import { heldBy } from './core/held.ts';
import { Overload } from './core/overload.ts';
import { Removal } from './core/removal.ts';
import { restoreSessions } from './core/restore.ts';
import { beginShutDown, releaseAll, releaseFinished } from './core/shut-down.ts';
import type { Level } from './events.ts';
import { connectionsMax, HOST_CLOCK, HOST_GAUGE, HOST_RANDOM, nextTurn, sessionKey, TimeSlices } from './host.ts';
import type { Proof } from './identity/authenticate.ts';
import { createGuards, type TrustFacts } from './identity/guards.ts';
import type { AuthenticationMethods } from './identity/methods.ts';
import { createPreSharedKeys } from './identity/psk.ts';
import { isKnown, recallSubject } from './identity/recall.ts';
import { openConnection } from './net/connection.ts';
import { Listeners } from './net/listeners.ts';
import { createEmitter } from './observe/emitter.ts';
import { SYS_INTERVAL_MS, sysMessages } from './observe/sys.ts';
import type { Access } from './ports/access.ts';
import type { BrokerView, EndedProofs, ProofQuery } from './ports/admin-view.ts';
import type { Clock, Random } from './ports/clock.ts';
import type { BrokerConfig, TlsMaterial } from './ports/config.ts';
import type { ConnectionFacts } from './ports/connection-facts.ts';
import { Counters } from './ports/counters.ts';
import type { IdentityDirectory } from './ports/directory.ts';
import type { CheckOutsider, Guards } from './ports/guards.ts';
import type { Identity } from './ports/identity.ts';
import type { Observer } from './ports/observer.ts';
import type { LostRights, PolicyReplay } from './ports/policies.ts';
import type { Gauge } from './ports/pressure.ts';
import type { Store, StoredSession } from './ports/store.ts';
import type { TakenAway } from './ports/taken-away.ts';
import type { CertificateInUse } from './ports/trust.ts';
import { VERSION } from './ports/version.ts';
import type { Watch } from './ports/watch.ts';
import { MemoryStore } from './store/memory/memory-store.ts';

export { RefusalRing } from './observe/refusals.ts';
export type { BrokerConfig, ListenerConfig, TlsMaterial } from './ports/config.ts';

export interface BrokerParts {
  readonly config: BrokerConfig;
  /** What TLS listeners present and trust; they cannot be opened without it. */
  readonly tls?: TlsMaterial;
  readonly directory: IdentityDirectory;
  readonly trust: TrustFacts;
  /** What proves an identity beside certificates, and the methods of enhanced authentication. */
  readonly proofs?: readonly Proof[];
  readonly methods?: AuthenticationMethods;
  readonly checkOutsider?: CheckOutsider;
  /** Why nobody knows what time it is; see identity/time-proof.ts. */
  readonly timeUnknown?: () => string | undefined;
  readonly observers?: readonly Observer[];
  /** Each of these replaces what the broker would make itself. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly gauge?: Gauge;
  readonly store?: Store;
  /** In force from the start; absent = the built-in one. */
  readonly policy?: Policy;
  readonly access?: Access;
  readonly guards?: Guards;
}

export interface Broker extends BrokerView {
  /** Brings back the sessions that the store kept, and ends what was taken away meanwhile. `open` does it. */
  restore(): Promise<void>;
  /** Restores, then opens every listener; throws a Fault that names the first one that cannot be. */
  open(): Promise<void>;
  /** Serves a stream that did not come through a listener. */
  accept(stream: Duplex, facts: Pick<ConnectionFacts, 'listener'> & Partial<ConnectionFacts>): void;
  /** New certificate or trust; live connections keep theirs. */
  setTls(material: TlsMaterial): void;
  /** Certificates were taken back, or an authority may prove less: ends what rests on them. What the registry says is seen without being told. */
  lookForRevoked(): void;
  /** Proofs that are in no registry were taken back: ends what rests on them. */
  endProofs(query: ProofQuery): EndedProofs;
  /** What proved those who are connected, where a certificate did. */
  certificatesInUse(): CertificateInUse[];
  /** Puts another policy in force at once; answers what ended with it. Where another access was given it decides nothing. */
  usePolicy(policy: Policy): Promise<LostRights>;
  /** What another policy would mean for the sessions that are there; changes nothing. */
  replayPolicy(policy: Policy): Promise<PolicyReplay>;
  /**
   * Writes down what the identity asks for, until `seconds` are over or somebody ends it. Undefined if it is watched already, or
   * as many are as may be. Where another access was given nothing is seen.
   */
  watch(identity: Pick<Identity, 'realm' | 'name'>, seconds: number): Watch | undefined;
  /** The watch of the identity that is under way. */
  watchOf(identity: Pick<Identity, 'realm' | 'name'>): Watch | undefined;
  /** What an identity lost that was taken away just now, once that is on the disk; undefined = nothing is known of it. */
  takenFrom(identity: Pick<Identity, 'realm' | 'name'>): Promise<TakenAway | undefined>;
  /** Ends the observer when the answer is called. */
  observe(observer: Observer, from?: Level): () => void;
  /** Lets due deadlines pass; the broker does it itself once it is open. `lateMs`: how long it was too busy to do so. */
  tick(lateMs?: number): void;
  /**
   * Stops accepting, lets exchanges that are under way finish for up to `graceMs`, tells every client, and closes the store.
   * Rejects if what was staged could not be written.
   */
  stop(graceMs: number): Promise<void>;
}

/** Deadlines are looked at this often. */
const TICK_MS = 250;

/** Memory is measured this often. */
const MEMORY_MS = 1_000;

/** How long a new policy is tried on those who are here, and how long of it in one turn: meanwhile nobody is served. */
const REPLAY_MS = 100;
const REPLAY_SLICE_MS = 20;

/** How often a stopping broker looks who has finished. */
const STOP_POLL_MS = 20;

/** How often one who waits for the disk looks whether it is done. */
const COMMIT_POLL_MS = 5;

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function createBroker(parts: BrokerParts): Broker {
  const { config, directory, trust } = parts;
  const clock = parts.clock ?? HOST_CLOCK;
  const random = parts.random ?? HOST_RANDOM;
  const gauge = parts.gauge ?? HOST_GAUGE;
  const counters = new Counters();
  const emitter = createEmitter(clock, counters);
  for (const observer of parts.observers ?? []) emitter.observe(observer, 'info');
  const guards: Guards =
    parts.guards ??
    createGuards({
      directory,
      trust,
      clock,
      limits: config.limits,
      proofs: parts.proofs ?? [],
      methods: parts.methods ?? new Map(),
      checkOutsider: parts.checkOutsider,
      posture: config.posture,
      ...(parts.timeUnknown === undefined ? {} : { timeUnknown: parts.timeUnknown }),
    });
  const policyAccess = createAccess(parts.policy);
  const overload = new Overload({
    memoryBytesMax: config.limits.memoryBytesMax,
    lagMsMax: config.admission.lagMsMax,
    emit: emitter.emit,
  });
  const core = new Core({
    limits: config.limits,
    clock,
    random,
    store: parts.store ?? new MemoryStore({ defer: setImmediate }),
    backplane: ALONE,
    access: parts.access ?? policyAccess,
    guards,
    emit: emitter.emit,
    counters,
    pressure: overload,
    sessionKey,
  });
  const watches = new Watches({
    access: policyAccess,
    clock,
    emit: emitter.emit,
    heldBy: (owner) => heldBy(core, owner),
    after: (name, delayMs, expire) => core.after(name, delayMs, expire),
    cancel: (name) => core.deadlines.cancel(name),
  });
  const listeners = new Listeners({
    config,
    guards,
    clock,
    counters,
    emit: emitter.emit,
    pressure: overload,
    preSharedKeys: createPreSharedKeys(directory),
    connectionsMax: connectionsMax(),
    onConnection: (stream, facts) => openConnection(stream, facts, core),
    ...(parts.tls === undefined ? {} : { tls: parts.tls }),
  });
  const subjectOf = (session: StoredSession) =>
    recallSubject(session, {
      directory,
      listeners: config.listeners,
      foreign: trust.foreign,
      checkOutsider: parts.checkOutsider,
    });
  const removal = new Removal(core, {
    subjectOf,
    isKnown: (owner) => isKnown(owner, { directory, foreign: trust.foreign, checkOutsider: parts.checkOutsider }),
    authorities: () => trust.foreign,
    onRevoke: config.onRevoke ?? { kind: 'keep' },
  });
  directory.watch?.((identity) => removal.lookAt(identity));
  const startedAtMs = clock.nowMs();
  let sysAtMs = startedAtMs;
  let measuredAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const measure = (): void => {
    const nowMs = clock.monotonicMs();
    counters.eventLoopLagMs = gauge.lagMs();
    overload.measureLag(counters.eventLoopLagMs);
    if (nowMs - measuredAtMs < MEMORY_MS) return;
    measuredAtMs = nowMs;
    counters.memoryBytes = gauge.memoryBytes();
    overload.measureMemory(counters.memoryBytes);
  };

  const tick = (lateMs = 0): void => {
    measure();
    core.tick(lateMs);
    if (core.nowMs - sysAtMs < SYS_INTERVAL_MS) return;
    sysAtMs = core.nowMs;
    const uptimeSeconds = Math.floor((core.nowMs - startedAtMs) / 1000);
    for (const { topic, payload } of sysMessages(counters, { version: VERSION, uptimeSeconds })) {
      core.publish(parseTopicName(topic), Buffer.from(payload));
    }
  };

  const restore = (): Promise<void> =>
    new Promise((resolve, reject) => {
      restoreSessions(core, subjectOf, ({ sessions, lost }, fault) => {
        if (fault !== undefined) {
          reject(fault);
          return;
        }
        if (sessions > 0 || core.store.retainedCount > 0) {
          emitter.emit('store.opened', { sessions, retained: core.store.retainedCount });
        }
        removal.begin(lost).then(resolve, reject);
      });
    });

  return {
    get listeners() {
      return listeners.rows;
    },
    counters,
    clients: () => clientRows(core),
    kick: (query) => kickClients(core, query),
    endConnections: (identity) => endConnections(core, identity),
    findings: () => overload.findings,
    restore,
    async open() {
      await restore();
      measure();
      await listeners.open();
      let tickedAtMs = clock.monotonicMs();
      timer = setInterval(() => {
        const gapMs = clock.monotonicMs() - tickedAtMs;
        tickedAtMs += gapMs;
        tick(gapMs > 2 * TICK_MS ? gapMs - TICK_MS : 0);
      }, TICK_MS);
      emitter.emit('broker.started', { listeners: listeners.rows.map(({ url }) => url) });
    },
    accept(stream, facts) {
      const { nextConnectionId } = listeners;
      const whole = {
        id: nextConnectionId(),
        address: '',
        port: 0,
        tls: undefined,
        openedAtMs: clock.nowMs(),
        ...facts,
      };
      openConnection(stream, whole, core);
    },
    setTls: (material) => listeners.setTls(material),
    replayPolicy(policy) {
      const time = new TimeSlices(clock, { sliceMs: REPLAY_SLICE_MS, wholeMs: REPLAY_MS });
      return replayPolicy({
        from: policyAccess.policy,
        to: policy,
        sessions: replayed(core, policyAccess),
        hasTime: () => time.isLeft && core.stopping === undefined,
        pause: () => time.pause(),
      });
    },
    async usePolicy(policy) {
      policyAccess.replacePolicy(policy);
      const work = core.reauthorise();
      // A broker that ends has ended everything else with it.
      while (work.step() && core.stopping === undefined) await nextTurn();
      return work.lost;
    },
    watch: (identity, seconds) => watches.begin(identity, seconds),
    watchOf: (identity) => watches.find(identity),
    lookForRevoked: () => removal.look(),
    endProofs: (query) => removal.endProofs(query),
    certificatesInUse: () => [...core.clients].flatMap(({ facts }) => guards.certificateOf?.(facts) ?? []),
    async takenFrom(identity) {
      const taken = removal.lately(identity);
      const { lastTicket } = core.store;
      while (!core.store.isCommitted(lastTicket) && core.store.failing === undefined) await sleep(COMMIT_POLL_MS);
      return taken;
    },
    observe: (observer, from = 'info') => emitter.observe(observer, from),
    tick,
    async stop(graceMs) {
      emitter.emit('broker.stopping', { why: 'asked to' });
      watches.endAll('stopping');
      await listeners.close();
      const end = performance.now() + graceMs;
      beginShutDown(core);
      while (releaseFinished(core) > 0 && performance.now() < end) await sleep(STOP_POLL_MS);
      const unfinished = releaseAll(core);
      const closed = graceMs === 0 ? 0 : performance.now() + config.limits.closeDeadlineMs;
      while (listeners.connections > 0 && performance.now() < closed) await sleep(STOP_POLL_MS);
      clearInterval(timer);
      listeners.destroy();
      try {
        await core.store.close();
      } catch (fault) {
        emitter.emit('store.fault', { why: (fault as Error).message });
        throw fault;
      }
      emitter.emit('broker.stopped', { unfinished });
    },
  };
}

/** Every session, those with a client first. */
function* replayed(core: Core, access: PolicyAccess): Iterable<Replayed> {
  for (const online of [true, false]) {
    for (const session of core.sessions.values()) {
      if (session.online !== online) continue;
      yield {
        subject: session.subject,
        filters: core.router.filtersOf(session),
        topics: access.topicsOf(session.rights),
      };
    }
  }
}
