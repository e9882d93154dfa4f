// One listener: a TCP or Unix server and the way of each connection from accept to hand-on. Admission first, then the first
// bytes in our own code, then TLS, then the WebSocket upgrade, each only where the scheme has it.

import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Emit } from '../events.ts';
import type { Clock } from '../ports/clock.ts';
import type { ListenerConfig, TlsMaterial } from '../ports/config.ts';
import type { ConnectionFacts } from '../ports/connection-facts.ts';
import type { Counters } from '../ports/counters.ts';
import type { Guards } from '../ports/guards.ts';
import type { Limits } from '../ports/limits.ts';
import type { Pressure } from '../ports/pressure.ts';
import type { PreSharedKeys } from '../ports/psk.ts';
import type { Admission } from './admission.ts';
import { type Arrival, Arrivals, CLOSED, withTls } from './arrivals.ts';
import { bind } from './bind.ts';
import { ClientHelloReader } from './client-hello.ts';
import { describeFirstBytes } from './first-bytes.ts';
import type { HandshakeTurns } from './handshake-turns.ts';
import { ListenerFault } from './listener-fault.ts';
import { startTicketRotation } from './ticket-rotation.ts';
import { TlsDoor } from './tls-door.ts';
import type { Door, Turnstile } from './turnstile.ts';
import { WebSocketDoor } from './web-socket-door.ts';

export interface ListenerDeps {
  readonly admit: Guards['admit'];
  /** False while all listeners together have as many connections as there are files for. */
  readonly hasRoom: () => boolean;
  /** Shared by all listeners. */
  readonly admission: Admission;
  readonly turnstile: Turnstile;
  readonly handshakes: HandshakeTurns;
  readonly pressure: Pressure;
  /** Asked when a TLS listener opens; undefined is a fault there. */
  readonly tls: () => TlsMaterial | undefined;
  readonly preSharedKeys: PreSharedKeys | undefined;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly limits: Limits;
  readonly nextConnectionId: () => number;
  /** Must add its listeners before it returns: bytes flow right afterwards. */
  readonly onConnection: (stream: Duplex, facts: ConnectionFacts) => void;
}

export interface OpenListener {
  readonly name: string;
  /** With the real port. */
  readonly url: string;
  readonly state: 'open' | 'closed';
  /** Open connections, those in their handshake included. */
  readonly connections: number;
  /** Those of them that are in their handshake. */
  readonly underWay: number;
  /** For new handshakes; nothing changes if it throws ListenerFault. Without effect on a plain listener. */
  setTls(material: TlsMaterial): void;
  /** The listener does it itself once a day. Without effect on a plain one. */
  rotateTicketKeys(): void;
  /** Accepts nothing more and drops who was not handed on; the others are the caller's to end. */
  close(): Promise<void>;
  /** Destroys what is still connected. */
  destroy(): void;
}

/** Opens a listener. Throws ListenerFault if the address, the certificate or the key cannot be used. */
export async function openListener(config: ListenerConfig, deps: ListenerDeps): Promise<OpenListener> {
  const listener = new Listener(config, deps);
  await listener.open();
  return listener;
}

class Listener implements OpenListener, Door {
  url: string;
  state: 'open' | 'closed' = 'closed';
  readonly #config: ListenerConfig;
  readonly #deps: ListenerDeps;
  readonly #arrivals: Arrivals;
  readonly #server: Server;
  readonly #tls: TlsDoor | undefined;
  readonly #webSocket: WebSocketDoor | undefined;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #endTicketRotation: (() => void) | undefined;

  constructor(config: ListenerConfig, deps: ListenerDeps) {
    this.#config = config;
    this.#deps = deps;
    this.url = config.url;
    const { admission, admit, hasRoom, pressure, emit, clock, counters, nextConnectionId, onConnection, limits } = deps;
    const deadlineMs = limits.handshakeDeadlineMs;
    this.#arrivals = new Arrivals({
      config,
      admission,
      admit,
      hasRoom,
      pressure,
      emit,
      clock,
      counters,
      nextConnectionId,
      deadlineMs,
      onConnection,
    });
    this.#tls = config.scheme === 'mqtts' || config.scheme === 'wss' ? this.#openTls() : undefined;
    this.#webSocket = config.scheme === 'ws' || config.scheme === 'wss' ? this.#openWebSocket() : undefined;
    this.#server = createServer(SOCKET_OPTIONS, (socket) => deps.turnstile.take(socket, this));
  }

  get name(): string {
    return this.#config.name;
  }

  get connections(): number {
    return this.#arrivals.connections;
  }

  get underWay(): number {
    return this.#arrivals.underWay;
  }

  async open(): Promise<void> {
    this.url = await bind(this.#server, this.#config);
    this.state = 'open';
    // After listening only accept can fail, for want of file descriptors as a rule; the listener goes on.
    this.#server.on('error', (error) => this.#acceptFailed(error));
    this.#endTicketRotation = this.#rotateTickets();
    this.#deps.emit('listener.opened', { listener: this.name, url: this.url });
  }

  setTls(material: TlsMaterial): void {
    this.#tls?.setMaterial(material);
  }

  rotateTicketKeys(): void {
    this.#tls?.rotateTicketKeys();
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.#endTicketRotation?.();
    this.#server.close();
    this.#deps.turnstile.close(this);
    this.#arrivals.end();
    await new Promise((resolve) => setImmediate(resolve));
  }

  destroy(): void {
    this.#arrivals.destroy();
  }

  letIn(raw: Socket): void {
    const arrival = this.#arrivals.begin(raw);
    if (arrival === undefined) return;
    if (this.#tls !== undefined) this.#readClientHello(arrival, this.#tls);
    else if (this.#webSocket !== undefined) this.#upgrade(arrival, raw, this.#webSocket);
    else this.#readFirstBytes(arrival);
    raw.resume();
  }

  turnAway(raw: Socket): void {
    this.#arrivals.turnAway(raw);
  }

  #readClientHello(arrival: Arrival, tls: TlsDoor): void {
    const { raw } = arrival;
    const reader = new ClientHelloReader();
    let chunks: Buffer[] = [];
    const take = (chunk: Buffer): void => {
      arrival.phase = 'the ClientHello';
      chunks.push(chunk);
      if (!reader.push(chunk)) {
        if (chunks.length === CHUNKS_MAX) chunks = [Buffer.concat(chunks)];
        return;
      }
      raw.removeListener('data', take);
      raw.pause();
      if (reader.hello === undefined) {
        this.#refuseFirstBytes(
          arrival,
          Buffer.concat(chunks),
          reader.refusal?.tls ? reader.refusal.because : undefined,
        );
        return;
      }
      arrival.hello = reader.hello;
      arrival.phase = 'the TLS handshake';
      raw.unshift(chunks.length === 1 ? chunk : Buffer.concat(chunks));
      this.#deps.handshakes.take(() => {
        if (!raw.destroyed) tls.take(arrival);
      });
    };
    raw.on('data', take);
  }

  #refuseFirstBytes(arrival: Arrival, bytes: Buffer, badTls: string | undefined): void {
    const because = badTls ?? `${describeFirstBytes(bytes)}, not TLS, on a TLS listener`;
    this.#arrivals.refuse(arrival, { reason: 'protocol-error', because, rule: 'tls', seen: CLOSED });
  }

  #readFirstBytes(arrival: Arrival): void {
    const { raw } = arrival;
    raw.once('data', (chunk: Buffer) => {
      const what = describeFirstBytes(chunk);
      if (what === 'a TLS ClientHello' || what === 'a plain HTTP request') {
        const because = `${what} on a listener that speaks plain MQTT`;
        this.#arrivals.refuse(arrival, { reason: 'protocol-error', because, rule: 'listeners.url', seen: CLOSED });
        return;
      }
      raw.pause();
      raw.unshift(chunk);
      this.#arrivals.handOn(arrival, raw);
      raw.resume();
    });
  }

  #upgrade(arrival: Arrival, socket: Socket, webSocket: WebSocketDoor): void {
    arrival.phase = 'the WebSocket upgrade';
    webSocket.take(arrival, socket);
  }

  #openTls(): TlsDoor {
    const { tls, limits, preSharedKeys } = this.#deps;
    const material = tls();
    if (material === undefined) {
      const why = `listener ${this.name} (${this.#config.url}): there is no server certificate`;
      throw new ListenerFault('MOT-0403', why, 'give the broker a certificate, or let its authority make one');
    }
    return new TlsDoor({
      config: this.#config,
      material,
      preSharedKeys: this.#config.authentication === 'psk' ? preSharedKeys : undefined,
      handshakeDeadlineMs: limits.handshakeDeadlineMs,
      secured: (arrival, socket, facts) => {
        arrival.facts = withTls(arrival.facts, facts);
        if (this.#webSocket === undefined) this.#arrivals.handOn(arrival, socket);
        else this.#upgrade(arrival, socket, this.#webSocket);
      },
      refused: (arrival, refusal) => {
        if (refusal === undefined) this.#arrivals.lost(arrival);
        else this.#arrivals.refuse(arrival, refusal);
      },
    });
  }

  #rotateTickets(): (() => void) | undefined {
    if (this.#tls === undefined) return undefined;
    return startTicketRotation({
      rotate: () => this.rotateTicketKeys(),
      underWay: () => this.underWay,
      chance: Math.random,
    });
  }

  #openWebSocket(): WebSocketDoor {
    const { limits } = this.#deps;
    return new WebSocketDoor({
      config: this.#config,
      limits,
      opened: (arrival, stream) => this.#arrivals.handOn(arrival, stream),
      refused: (arrival, refusal, answering) => this.#arrivals.refuse(arrival, refusal, answering),
      broken: (arrival, because) => this.#arrivals.broken(arrival, because),
    });
  }

  #acceptFailed(error: Error): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (nowMs - this.#failedAtMs < ACCEPT_REPORT_MS) return;
    this.#failedAtMs = nowMs;
    this.#deps.emit('listener.failed', { listener: this.name, url: this.url, why: error.message });
  }
}

const SOCKET_OPTIONS = {
  // Nothing is read of a socket that waits at the turnstile.
  pauseOnConnect: true,
  // One write per turn is what is sent; nothing is gained by waiting for more.
  noDelay: true,
  // Finds peers that vanished and asked for no keep-alive of MQTT.
  keepAlive: true,
  keepAliveInitialDelay: 120_000,
  highWaterMark: 65_536,
} as const;

/** A buffer costs far more than the one byte that may be in it. */
const CHUNKS_MAX = 64;

/** A listener that cannot accept says so at most this often. */
const ACCEPT_REPORT_MS = 10_000;
