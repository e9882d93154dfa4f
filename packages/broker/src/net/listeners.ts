// All listeners of the broker: opened together, closed together, one admission and one numbering of connections.

import type { Duplex } from 'node:stream';
import type { Emit } from '../events.ts';
import type { ListenerRow } from '../ports/admin-view.ts';
import type { Clock } from '../ports/clock.ts';
import type { BrokerConfig, TlsMaterial } from '../ports/config.ts';
import type { ConnectionFacts } from '../ports/connection-facts.ts';
import type { Counters } from '../ports/counters.ts';
import type { Guards } from '../ports/guards.ts';
import type { Pressure } from '../ports/pressure.ts';
import type { PreSharedKeys } from '../ports/psk.ts';
import { Admission } from './admission.ts';
import { HandshakeTurns } from './handshake-turns.ts';
import { type OpenListener, openListener } from './listener.ts';
import { Turnstile } from './turnstile.ts';

export interface ListenersParts {
  readonly config: BrokerConfig;
  readonly guards: Guards;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly emit: Emit;
  /** TLS listeners cannot be opened without it. */
  readonly tls?: TlsMaterial;
  readonly preSharedKeys?: PreSharedKeys;
  /** Connections at once over all listeners; exempt sources are counted too. */
  readonly connectionsMax: number;
  readonly pressure: Pressure;
  readonly onConnection: (stream: Duplex, facts: ConnectionFacts) => void;
}

export class Listeners {
  readonly #parts: ListenersParts;
  readonly #admission: Admission;
  readonly #turnstile: Turnstile;
  readonly #handshakes: HandshakeTurns;
  readonly #open = new Map<string, OpenListener>();
  /** By listener, why it could not be opened. */
  readonly #failed = new Map<string, string>();
  #material: TlsMaterial | undefined;
  #lastId = 0;

  constructor(parts: ListenersParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts.config.admission, parts.pressure);
    const { waitingMax } = parts.config.admission;
    this.#turnstile = new Turnstile({
      waitingMax,
      pressure: parts.pressure,
      hasRoom: () => this.#hasRoom,
      underWay: () => this.#underWay,
    });
    this.#handshakes = new HandshakeTurns(parts.clock);
    this.#material = parts.tls;
  }

  /** One row for every configured listener. */
  get rows(): readonly ListenerRow[] {
    return this.#parts.config.listeners.map(({ name, url, authentication }) => {
      const listener = this.#open.get(name);
      const why = this.#failed.get(name);
      return {
        name,
        url: listener?.url ?? url,
        authentication,
        state: why === undefined ? (listener?.state ?? 'closed') : 'failed',
        connections: listener?.connections ?? 0,
        ...(why === undefined ? {} : { why }),
      };
    });
  }

  /** Open connections, those in their handshake included. */
  get connections(): number {
    let sum = 0;
    for (const listener of this.#open.values()) sum += listener.connections;
    return sum;
  }

  get #underWay(): number {
    let sum = 0;
    for (const listener of this.#open.values()) sum += listener.underWay;
    return sum;
  }

  /** False while there are as many connections as there are files for. */
  get #hasRoom(): boolean {
    return this.connections + this.#turnstile.waiting < this.#parts.connectionsMax;
  }

  readonly nextConnectionId = (): number => {
    this.#lastId += 1;
    return this.#lastId;
  };

  /** Opens every listener; one that fails closes the others again. Throws its ListenerFault. */
  async open(): Promise<void> {
    const { config, guards, clock, counters, emit, pressure, onConnection } = this.#parts;
    for (const listener of config.listeners) {
      try {
        const opened = await openListener(listener, {
          admit: (facts) => guards.admit(facts),
          hasRoom: () => this.#hasRoom,
          admission: this.#admission,
          turnstile: this.#turnstile,
          handshakes: this.#handshakes,
          pressure,
          tls: () => this.#material,
          preSharedKeys: this.#parts.preSharedKeys,
          emit,
          clock,
          counters,
          limits: config.limits,
          nextConnectionId: this.nextConnectionId,
          onConnection,
        });
        this.#open.set(listener.name, opened);
      } catch (fault) {
        const why = fault instanceof Error ? fault.message : String(fault);
        this.#failed.set(listener.name, why);
        emit('listener.failed', { listener: listener.name, url: listener.url, why });
        await this.close();
        throw fault;
      }
    }
  }

  /** New certificate or trust for new handshakes. If one listener cannot use it none has it. Throws ListenerFault. */
  setTls(material: TlsMaterial): void {
    const before = this.#material;
    try {
      for (const listener of this.#open.values()) listener.setTls(material);
    } catch (fault) {
      if (before !== undefined) for (const listener of this.#open.values()) listener.setTls(before);
      throw fault;
    }
    this.#material = material;
  }

  /** Accepts nothing more; connections that were handed on stay. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((listener) => listener.close()));
  }

  /** Destroys what is still connected. */
  destroy(): void {
    for (const listener of this.#open.values()) listener.destroy();
  }
}
