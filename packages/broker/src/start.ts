// Puts the broker together: the only file that imports every folder. What it is made of is decided here and nowhere else.

import { parseTopicName } from '@motte/wire';
import { createAccess } from './access/access.ts';
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
import { connectionsMax, HOST_CLOCK, HOST_GAUGE, HOST_RANDOM, nextTurn, sessionKey } from './host.ts';
import { createGuards } from './identity/guards.ts';
import { createPreSharedKeys } from './identity/psk.ts';
import { isKnown, recallSubject } from './identity/recall.ts';
import { openConnection } from './net/connection.ts';
import { Listeners } from './net/listeners.ts';
import { createEmitter } from './observe/emitter.ts';
import { SYS_INTERVAL_MS, sysMessages } from './observe/sys.ts';
import { Counters } from './ports/counters.ts';
import type { Guards } from './ports/guards.ts';
import type { StoredSession } from './ports/store.ts';
import { VERSION } from './ports/version.ts';
import type { Broker, BrokerParts } from './start/broker.ts';
import { replayOnSessions } from './start/replay-on-sessions.ts';
import { MemoryStore } from './store/memory/memory-store.ts';

export { RefusalRing } from './observe/refusals.ts';
export type { BrokerConfig, ListenerConfig, TlsMaterial } from './ports/config.ts';
export type { Broker, BrokerParts } from './start/broker.ts';

/** Deadlines are looked at this often. */
const TICK_MS = 250;

/** Memory is measured this often. */
const MEMORY_MS = 1_000;

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
    replayPolicy: (policy) => replayOnSessions(policy, { core, access: policyAccess, clock }),
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
