// Puts the broker together: the only file that imports every folder. What it is made of is decided here and nowhere else.

import type { Duplex } from 'node:stream';
import { parseTopicName } from '@motte/wire';
import { createAccess } from './access/access.ts';
import { ALONE } from './cluster/alone.ts';
import { clientRows, kickClients } from './core/client-rows.ts';
import { Core } from './core/core.ts';
import type { Level } from './events.ts';
import { connectionsMax, HOST_CLOCK, HOST_RANDOM, sessionKey } from './host.ts';
import { createGuards, type TrustFacts } from './identity/guards.ts';
import { openConnection } from './net/connection.ts';
import { Listeners } from './net/listeners.ts';
import { createEmitter } from './observe/emitter.ts';
import { SYS_INTERVAL_MS, sysMessages } from './observe/sys.ts';
import type { Access } from './ports/access.ts';
import type { BrokerView } from './ports/admin-view.ts';
import type { Clock, Random } from './ports/clock.ts';
import type { BrokerConfig, TlsMaterial } from './ports/config.ts';
import type { ConnectionFacts } from './ports/connection-facts.ts';
import { Counters } from './ports/counters.ts';
import type { IdentityDirectory } from './ports/directory.ts';
import type { Guards } from './ports/guards.ts';
import type { Observer } from './ports/observer.ts';
import type { Store } from './ports/store.ts';
import { VERSION } from './ports/version.ts';
import { MemoryStore } from './store/memory/memory-store.ts';

export { RefusalRing } from './observe/refusals.ts';
export type { BrokerConfig, ListenerConfig, TlsMaterial } from './ports/config.ts';

export interface BrokerParts {
  readonly config: BrokerConfig;
  /** What TLS listeners present and trust; they cannot be opened without it. */
  readonly tls?: TlsMaterial;
  readonly directory: IdentityDirectory;
  readonly trust: TrustFacts;
  readonly observers?: readonly Observer[];
  /** Each of these replaces what the broker would make itself. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly store?: Store;
  readonly access?: Access;
  readonly guards?: Guards;
}

export interface Broker extends BrokerView {
  /** Opens every listener; throws a Fault that names the first one that cannot be. */
  open(): Promise<void>;
  /** Serves a stream that did not come through a listener. */
  accept(stream: Duplex, facts: Pick<ConnectionFacts, 'listener'> & Partial<ConnectionFacts>): void;
  /** New certificate or trust; live connections keep theirs. */
  setTls(material: TlsMaterial): void;
  /** Ends the observer when the answer is called. */
  observe(observer: Observer, from?: Level): () => void;
  /** Lets due deadlines pass; the broker does it itself once it is open. `lateMs`: how long it was too busy to do so. */
  tick(lateMs?: number): void;
  /** Stops accepting, tells every client, and waits up to `graceMs` for them to go. */
  stop(graceMs: number): Promise<void>;
}

/** Deadlines are looked at this often. */
const TICK_MS = 250;

/** How often a stopping broker looks whether everybody has gone. */
const STOP_POLL_MS = 20;

export function createBroker(parts: BrokerParts): Broker {
  const { config, directory, trust } = parts;
  const clock = parts.clock ?? HOST_CLOCK;
  const random = parts.random ?? HOST_RANDOM;
  const counters = new Counters();
  const emitter = createEmitter(clock, counters);
  for (const observer of parts.observers ?? []) emitter.observe(observer, 'info');
  const guards = parts.guards ?? createGuards({ directory, trust, clock, limits: config.limits });
  const core = new Core({
    limits: config.limits,
    clock,
    random,
    store: parts.store ?? new MemoryStore({ defer: setImmediate }),
    backplane: ALONE,
    access: parts.access ?? createAccess(),
    guards,
    emit: emitter.emit,
    counters,
    sessionKey,
  });
  const listeners = new Listeners({
    config,
    guards,
    clock,
    counters,
    emit: emitter.emit,
    connectionsMax: connectionsMax(),
    onConnection: (stream, facts) => openConnection(stream, facts, core),
    ...(parts.tls === undefined ? {} : { tls: parts.tls }),
  });
  const startedAtMs = clock.nowMs();
  let sysAtMs = startedAtMs;
  let timer: NodeJS.Timeout | undefined;

  const tick = (lateMs = 0): void => {
    core.tick(lateMs);
    if (core.nowMs - sysAtMs < SYS_INTERVAL_MS) return;
    sysAtMs = core.nowMs;
    const uptimeSeconds = Math.floor((core.nowMs - startedAtMs) / 1000);
    for (const { topic, payload } of sysMessages(counters, { version: VERSION, uptimeSeconds })) {
      core.publish(parseTopicName(topic), Buffer.from(payload));
    }
  };

  return {
    get listeners() {
      return listeners.rows;
    },
    counters,
    clients: () => clientRows(core),
    kick: (query) => kickClients(core, query),
    async open() {
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
    observe: (observer, from = 'info') => emitter.observe(observer, from),
    tick,
    async stop(graceMs) {
      emitter.emit('broker.stopping', { why: 'asked to' });
      await listeners.close();
      core.stop();
      const end = performance.now() + graceMs;
      while (listeners.connections > 0 && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS));
      }
      clearInterval(timer);
      listeners.destroy();
      await core.store.close();
    },
  };
}
