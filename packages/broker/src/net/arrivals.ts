// Connections between accept and hand-on: their facts, their deadline, and the one place that turns a peer away before
// the core has heard of it. Owns no protocol: TLS, WebSocket and the first bytes are read elsewhere and reported here.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Reason } from '@motte/wire';
import type { Emit } from '../events.ts';
import type { Clock } from '../ports/clock.ts';
import type { ListenerConfig } from '../ports/config.ts';
import type { ConnectionFacts, ListenerFacts, TlsFacts } from '../ports/connection-facts.ts';
import type { Counters } from '../ports/counters.ts';
import type { Guards } from '../ports/guards.ts';
import type { Pressure } from '../ports/pressure.ts';
import type { Layer } from '../ports/verdict.ts';
import { type Admission, plainAddress } from './admission.ts';
import type { ClientHello } from './client-hello.ts';

/** What a peer is busy with until it is handed on; named in the refusal when its time is up. */
export type Phase = 'the first bytes' | 'the ClientHello' | 'the TLS handshake' | 'the WebSocket upgrade';

export interface Arrival {
  readonly raw: Socket;
  readonly source: string;
  facts: ConnectionFacts;
  phase: Phase;
  hello: ClientHello | undefined;
  /** True once it was handed on or refused: what its socket reports afterwards is nothing new. */
  settled: boolean;
  deadline: NodeJS.Timeout | undefined;
}

/** What a peer is told when it is turned away before MQTT begins. */
export interface TransportRefusal {
  readonly layer?: Layer;
  readonly reason: Reason;
  readonly because: string;
  /** A configuration key, a rule of the standard, or `tls`. */
  readonly rule: string;
  readonly seen: string;
}

export interface ArrivalsParts {
  readonly config: ListenerConfig;
  readonly admission: Admission;
  readonly admit: Guards['admit'];
  /** False while all listeners together have as many connections as there are files for. */
  readonly hasRoom: () => boolean;
  readonly pressure: Pressure;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly nextConnectionId: () => number;
  readonly deadlineMs: number;
  readonly onConnection: (stream: Duplex, facts: ConnectionFacts) => void;
}

export class Arrivals {
  readonly #parts: ArrivalsParts;
  readonly #listener: ListenerFacts;
  readonly #open = new Set<Socket>();
  readonly #waiting = new Set<Arrival>();

  constructor(parts: ArrivalsParts) {
    const { name, scheme, authentication, role, clientIds, versions, clientCa, certificateName, onExpiry } =
      parts.config;
    this.#parts = parts;
    this.#listener = Object.freeze({
      name,
      scheme,
      authentication,
      role,
      clientIds,
      versions,
      ...(clientCa === undefined ? {} : { clientCa }),
      ...(certificateName === undefined ? {} : { certificateName }),
      ...(onExpiry === undefined ? {} : { onExpiry }),
    });
  }

  /** Open connections of this listener, those handed on included. */
  get connections(): number {
    return this.#open.size;
  }

  /** Those of them that were not handed on yet. */
  get underWay(): number {
    return this.#waiting.size;
  }

  /** Admits an accepted socket and starts its deadline; undefined = it was turned away. */
  begin(raw: Socket): Arrival | undefined {
    const arrival = this.#arrivalOf(raw);
    if (arrival === undefined) return undefined;
    const refusal = this.#admit(arrival.facts, arrival.source);
    if (refusal !== undefined) {
      this.#reset(arrival, refusal);
      return undefined;
    }
    this.#open.add(raw);
    this.#waiting.add(arrival);
    raw.once('close', () => this.#closed(arrival));
    arrival.deadline = setTimeout(() => this.#late(arrival), this.#parts.deadlineMs);
    return arrival;
  }

  /** Turns an accepted socket away because too many wait already. */
  turnAway(raw: Socket): void {
    const arrival = this.#arrivalOf(raw);
    const because = 'as many connections as may wait to be let in do so already';
    const refusal = { reason: 'server-busy', because, rule: 'admission.waitingMax' } as const;
    if (arrival !== undefined) this.#reset(arrival, { layer: 'admission', ...refusal, seen: RESET });
  }

  /** Turns the peer away; the socket is destroyed unless the caller still has something to say on it. */
  refuse(arrival: Arrival, refusal: TransportRefusal, keepSocket = false): void {
    if (!arrival.settled) {
      arrival.settled = true;
      this.#report(arrival, refusal);
    }
    if (!keepSocket) arrival.raw.destroy();
  }

  /** A peer that was handed on did something that its transport does not allow; the core only sees the stream end. */
  broken(arrival: Arrival, because: string): void {
    this.#report(arrival, { reason: 'protocol-error', because, rule: 'RFC 6455', seen: 'a WebSocket close frame' });
  }

  /** The peer went away on its own before it was handed on: not worth a report. */
  lost(arrival: Arrival): void {
    arrival.settled = true;
    arrival.raw.destroy();
  }

  /** Gives the connection to the core, with what TLS has found out. */
  handOn(arrival: Arrival, stream: Duplex): void {
    if (arrival.settled) {
      stream.destroy();
      return;
    }
    arrival.settled = true;
    this.#stopWaiting(arrival);
    this.#parts.onConnection(stream, arrival.facts);
  }

  /** Destroys every connection that was not handed on yet. */
  end(): void {
    for (const arrival of [...this.#waiting]) this.lost(arrival);
  }

  /** Destroys every connection, those handed on included. */
  destroy(): void {
    for (const raw of [...this.#open]) raw.destroy();
  }

  /** Undefined if the peer is gone before it was looked at: it has no address any more. */
  #arrivalOf(raw: Socket): Arrival | undefined {
    const { admission, clock, nextConnectionId } = this.#parts;
    if (this.#listener.scheme !== 'mqtt+unix' && raw.remoteAddress === undefined) {
      raw.destroy();
      return undefined;
    }
    raw.on('error', ignore);
    const address = plainAddress(raw.remoteAddress ?? '');
    const facts: ConnectionFacts = {
      id: nextConnectionId(),
      listener: this.#listener,
      address,
      port: raw.remotePort ?? 0,
      tls: undefined,
      openedAtMs: clock.nowMs(),
    };
    return {
      raw,
      source: admission.sourceOf(address),
      facts,
      phase: 'the first bytes',
      hello: undefined,
      settled: false,
      deadline: undefined,
    };
  }

  #reset(arrival: Arrival, refusal: TransportRefusal): void {
    arrival.settled = true;
    this.#report(arrival, refusal);
    if (this.#listener.scheme === 'mqtt+unix') arrival.raw.destroy();
    else arrival.raw.resetAndDestroy();
  }

  #admit(facts: ConnectionFacts, source: string): TransportRefusal | undefined {
    const { config, admission, admit, hasRoom, pressure } = this.#parts;
    if (pressure.stage === 4) {
      const because = 'memory is used up: nobody new is let in';
      return { layer: 'admission', reason: 'server-busy', because, rule: 'limits.memoryBytesMax', seen: RESET };
    }
    if (this.connections >= config.connectionsMax) {
      const because = `the listener has ${this.connections} connections already`;
      return { layer: 'admission', reason: 'quota-exceeded', because, rule: 'listeners.maxConnections', seen: RESET };
    }
    if (!hasRoom()) {
      const because = 'the other files that this process may open (`ulimit -n`) are kept for its administration';
      return { layer: 'admission', reason: 'quota-exceeded', because, rule: 'admission', seen: RESET };
    }
    let verdict: ReturnType<Guards['admit']>;
    try {
      verdict = admit(facts);
    } catch (fault) {
      const because = `the guard failed: ${(fault as Error).message}`;
      return { layer: 'admission', reason: 'unspecified-error', because, rule: 'admission', seen: RESET };
    }
    const refusal = verdict?.allow === false ? verdict : admission.enter(source);
    if (refusal === undefined) return undefined;
    return { layer: 'admission', reason: refusal.reason, because: refusal.because, rule: refusal.rule, seen: RESET };
  }

  #late(arrival: Arrival): void {
    const { deadlineMs } = this.#parts;
    const because = `${arrival.phase} took longer than ${deadlineMs} ms`;
    this.refuse(arrival, { reason: 'unspecified-error', because, rule: 'limits.handshakeDeadlineMs', seen: CLOSED });
  }

  #closed(arrival: Arrival): void {
    this.#open.delete(arrival.raw);
    this.#stopWaiting(arrival);
    this.#parts.admission.leave(arrival.source);
  }

  #stopWaiting(arrival: Arrival): void {
    if (!this.#waiting.delete(arrival)) return;
    clearTimeout(arrival.deadline);
    arrival.deadline = undefined;
    this.#parts.admission.shaken(arrival.source);
  }

  #report(arrival: Arrival, refusal: TransportRefusal): void {
    const { emit, counters } = this.#parts;
    counters.refusals += 1;
    if (!emit.wanted('warn')) return;
    const { facts } = arrival;
    emit('peer.refused', {
      connection: facts.id,
      listener: facts.listener.name,
      address: facts.address,
      layer: refusal.layer ?? 'transport',
      reason: refusal.reason,
      because: refusal.because,
      rule: refusal.rule,
      seen: refusal.seen,
    });
  }
}

/** The same facts with what TLS has found out. */
export function withTls(facts: ConnectionFacts, tls: TlsFacts): ConnectionFacts {
  const { id, listener, address, port, openedAtMs } = facts;
  return { id, listener, address, port, tls, openedAtMs };
}

/** What a peer sees of a refusal that has no better words. */
export const CLOSED = 'the connection closed';
const RESET = 'the connection was reset';

function ignore(): void {}
