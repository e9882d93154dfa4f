// TLS for one listener: chooses the server certificate for each ClientHello, and reports what came of the handshake. Client
// certificates are demanded and checked by OpenSSL here; what they prove is decided by the proof of identity at CONNECT, and
// nothing here is taken for a proof. SNI chooses what is shown, never who is trusted.

import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FurtherCertificate, ListenerConfig, TlsMaterial } from '../ports/config.ts';
import type { TlsFacts } from '../ports/connection-facts.ts';
import type { Arrival, TransportRefusal } from './arrivals.ts';
import { type Candidate, candidateOf, chooseCertificate } from './certificate-choice.ts';
import { explainMaterialError } from './listener-fault.ts';
import { groupNames } from './offered-groups.ts';
import { peerCertificate } from './peer-certificate.ts';
import { explainTlsFailure } from './tls-refusal.ts';
import { TlsServer } from './tls-server.ts';

export interface TlsDoorParts {
  readonly config: ListenerConfig;
  readonly material: TlsMaterial;
  readonly handshakeDeadlineMs: number;
  readonly secured: (arrival: Arrival, socket: TLSSocket, facts: TlsFacts) => void;
  readonly refused: (arrival: Arrival, refusal: TransportRefusal | undefined) => void;
}

/** One certificate with its server; all of a listener's trust the same. */
interface Shown {
  readonly slot: string;
  readonly candidate: Candidate;
  readonly server: TlsServer;
  readonly ticketKeys: Buffer;
}

export class TlsDoor {
  readonly #parts: TlsDoorParts;
  readonly #arrivals = new WeakMap<Socket, Arrival>();
  #clientCa: string;
  #shown: readonly Shown[];
  #candidates: readonly Candidate[];

  /** Throws ListenerFault if certificate, key and CA do not work together. */
  constructor(parts: TlsDoorParts) {
    this.#parts = parts;
    this.#clientCa = parts.material.clientCa;
    this.#shown = this.#open(parts.material, new Map());
    this.#candidates = this.#shown.map(({ candidate }) => candidate);
  }

  /** Takes over a socket whose first bytes were put back. */
  take(arrival: Arrival): void {
    this.#arrivals.set(arrival.raw, arrival);
    this.#shown[chooseCertificate(arrival.hello, this.#candidates)]?.server.take(arrival.raw);
  }

  /** For new handshakes from now on. Tickets stay good only if the trust is unchanged. Throws ListenerFault and keeps the old. */
  setMaterial(material: TlsMaterial): void {
    const isTrustKept = material.clientCa === this.#clientCa;
    const kept = new Map(isTrustKept ? this.#shown.map(({ slot, ticketKeys }) => [slot, ticketKeys]) : []);
    this.#shown = this.#open(material, kept);
    this.#candidates = this.#shown.map(({ candidate }) => candidate);
    this.#clientCa = material.clientCa;
  }

  /** New keys for session tickets: those that are out cost a full handshake. */
  rotateTicketKeys(): void {
    this.#shown = this.#shown.map((shown) => {
      const ticketKeys = randomBytes(TICKET_KEY_BYTES);
      shown.server.setTicketKeys(ticketKeys);
      return { ...shown, ticketKeys };
    });
  }

  #open(material: TlsMaterial, kept: ReadonlyMap<string, Buffer>): readonly Shown[] {
    const { config, handshakeDeadlineMs } = this.#parts;
    const { clientCa, further = [] } = material;
    const all: readonly FurtherCertificate[] = [material, ...further];
    return all.map(({ cert, key, names }, index) => {
      const candidate = this.#candidateOf({ cert, ...(names === undefined ? {} : { names }) });
      const slot = index === 0 ? '' : `${index} ${names?.join(' ') ?? ''}`;
      const ticketKeys = kept.get(slot) ?? randomBytes(TICKET_KEY_BYTES);
      const server = new TlsServer({
        config,
        cert,
        key,
        clientCa,
        slot,
        ticketKeys,
        handshakeDeadlineMs,
        secured: (socket) => this.#secured(socket),
        failed: (error, socket) => this.#failed(error, socket),
      });
      return { slot, candidate, server, ticketKeys };
    });
  }

  #candidateOf(certificate: Pick<FurtherCertificate, 'cert' | 'names'>): Candidate {
    try {
      return candidateOf(certificate);
    } catch (error) {
      const { name, url } = this.#parts.config;
      throw explainMaterialError(`listener ${name} (${url})`, error as NodeJS.ErrnoException);
    }
  }

  #secured(socket: TLSSocket): void {
    const arrival = this.#arrivalOf(socket);
    if (arrival === undefined) {
      socket.destroy();
      return;
    }
    socket.on('error', ignore);
    const facts = tlsFacts(socket, arrival);
    // Only a handshake that fails needs it again; kept, it would be a good part of what an idle client costs.
    arrival.hello = undefined;
    this.#parts.secured(arrival, socket, facts);
  }

  #failed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const arrival = this.#arrivalOf(socket);
    socket.destroy();
    if (arrival === undefined) return;
    const { authorizationError } = socket as { authorizationError?: Error | string | null };
    const refusal = explainTlsFailure({
      code: error.code ?? '',
      message: error.message,
      certificate: authorizationError ? String(authorizationError) : undefined,
      hello: arrival.hello,
    });
    this.#parts.refused(arrival, refusal);
  }

  #arrivalOf(socket: TLSSocket): Arrival | undefined {
    // The socket below a TLS socket; when a handshake has failed nothing else tells whose it was. A test holds Node to it.
    const raw = (socket as unknown as { _parent?: Socket })._parent;
    return raw === undefined ? undefined : this.#arrivals.get(raw);
  }
}

function tlsFacts(socket: TLSSocket, arrival: Arrival): TlsFacts {
  const certificate = peerCertificate(socket);
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    resumed: socket.isSessionReused(),
    serverName: arrival.hello?.serverName,
    certificate,
    fingerprint: certificate === undefined ? undefined : createHash('sha256').update(certificate).digest('hex'),
    groups: groupNames(arrival.hello?.groups ?? []),
  };
}

function ignore(): void {}

/** 16 name, 16 authentication, 16 encryption: Node's layout. */
const TICKET_KEY_BYTES = 48;
