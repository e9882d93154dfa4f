// TLS for one listener: chooses the server certificate for each ClientHello, and reports what came of the handshake. Client
// certificates are demanded and checked by OpenSSL here; what they prove is decided by the proof of identity at CONNECT, and
// nothing here is taken for a proof. SNI chooses what is shown, never who is trusted.

import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FurtherCertificate, ListenerConfig, TlsMaterial } from '../ports/config.ts';
import type { TlsFacts } from '../ports/connection-facts.ts';
import type { PreSharedKeys, ProvenKey } from '../ports/psk.ts';
import type { Arrival, TransportRefusal } from './arrivals.ts';
import { ANYBODY, type Candidate, candidateOf, chooseCertificate, RSA_KEY } from './certificate-choice.ts';
import { clientCaOf, trustText } from './client-ca.ts';
import { explainMaterialError } from './listener-fault.ts';
import { groupNames } from './offered-groups.ts';
import { peerCertificate } from './peer-certificate.ts';
import { explainTlsFailure } from './tls-refusal.ts';
import { type ServerProof, TlsServer } from './tls-server.ts';

export interface TlsDoorParts {
  readonly config: ListenerConfig;
  readonly material: TlsMaterial;
  /** For a listener that takes those instead of certificates. */
  readonly preSharedKeys: PreSharedKeys | undefined;
  readonly handshakeDeadlineMs: number;
  readonly secured: (arrival: Arrival, socket: TLSSocket, facts: TlsFacts) => void;
  readonly refused: (arrival: Arrival, refusal: TransportRefusal | undefined) => void;
}

/** One certificate with its server; all of a listener's trust the same. */
interface Shown {
  readonly slot: string;
  readonly candidate: Candidate;
  readonly server: TlsServer;
  /** Undefined where no ticket is worth anything. */
  readonly ticketKeys: Buffer | undefined;
}

export class TlsDoor {
  readonly #parts: TlsDoorParts;
  readonly #arrivals = new WeakMap<Socket, Arrival>();
  /** The key that TLS asked for last, for each handshake: the one whose proof it then checked. */
  readonly #askedKeys = new WeakMap<TLSSocket, ProvenKey>();
  #trust: string;
  #shown: readonly Shown[];
  #candidates: readonly Candidate[];

  /** Throws ListenerFault if certificate, key and CA do not work together. */
  constructor(parts: TlsDoorParts) {
    this.#parts = parts;
    this.#trust = trustText(parts.material);
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
    const isTrustKept = trustText(material) === this.#trust;
    const kept = new Map<string, Buffer>();
    for (const { slot, ticketKeys } of this.#shown)
      if (isTrustKept && ticketKeys !== undefined) kept.set(slot, ticketKeys);
    this.#shown = this.#open(material, kept);
    this.#candidates = this.#shown.map(({ candidate }) => candidate);
    this.#trust = trustText(material);
  }

  /** New keys for session tickets: those that are out cost a full handshake. */
  rotateTicketKeys(): void {
    this.#shown = this.#shown.map((shown) => {
      if (shown.ticketKeys === undefined) return shown;
      const ticketKeys = randomBytes(TICKET_KEY_BYTES);
      shown.server.setTicketKeys(ticketKeys);
      return { ...shown, ticketKeys };
    });
  }

  #open(material: TlsMaterial, kept: ReadonlyMap<string, Buffer>): readonly Shown[] {
    if (this.#parts.config.authentication === 'psk') return [this.#openPsk()];
    const { further = [] } = material;
    const clientCa = clientCaOf(this.#parts.config, material);
    const all: readonly FurtherCertificate[] = [material, ...further];
    return all.map(({ cert, key, names }, index) => {
      const candidate = this.#candidateOf({ cert, ...(names === undefined ? {} : { names }) });
      const slot = index === 0 ? '' : `${index} ${names?.join(' ') ?? ''}`;
      const ticketKeys = kept.get(slot) ?? randomBytes(TICKET_KEY_BYTES);
      const staple = material.staple === undefined ? undefined : () => material.staple?.(cert);
      const server = this.#serve({ kind: 'certificate', cert, key, clientCa, slot, ticketKeys, staple });
      return { slot, candidate, server, ticketKeys };
    });
  }

  #openPsk(): Shown {
    const keys = this.#parts.preSharedKeys;
    const keyOf = (socket: TLSSocket, identity: string): Uint8Array | null => {
      const found = keys?.(identity);
      if (found === undefined) return null;
      this.#askedKeys.set(socket, { identity, keyId: found.keyId });
      return found.key;
    };
    return { slot: '', candidate: ANYBODY, server: this.#serve({ kind: 'psk', keyOf }), ticketKeys: undefined };
  }

  #serve(proof: ServerProof): TlsServer {
    const { config, handshakeDeadlineMs } = this.#parts;
    return new TlsServer({
      config,
      proof,
      handshakeDeadlineMs,
      secured: (socket) => this.#secured(socket),
      failed: (error, socket) => this.#failed(error, socket),
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
    const { authentication } = this.#parts.config;
    const binds = authentication === 'scram' || authentication === 'any';
    const facts = tlsFacts(socket, arrival, { psk: this.#askedKeys.get(socket), binds });
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
      hasRsa: this.#candidates.some(({ key }) => key === RSA_KEY),
      psk: this.#parts.preSharedKeys === undefined ? undefined : { asked: this.#askedKeys.get(socket) },
    });
    this.#parts.refused(arrival, refusal);
  }

  #arrivalOf(socket: TLSSocket): Arrival | undefined {
    // The socket below a TLS socket; when a handshake has failed nothing else tells whose it was. A test holds Node to it.
    const raw = (socket as unknown as { _parent?: Socket })._parent;
    return raw === undefined ? undefined : this.#arrivals.get(raw);
  }
}

function tlsFacts(
  socket: TLSSocket,
  arrival: Arrival,
  { psk, binds }: { readonly psk: ProvenKey | undefined; readonly binds: boolean },
): TlsFacts {
  const certificate = psk === undefined ? peerCertificate(socket) : undefined;
  const protocol = socket.getProtocol() ?? '';
  return {
    protocol,
    cipher: socket.getCipher().name,
    // TLS 1.3 takes a pre-shared key for a session that is resumed.
    resumed: psk === undefined && socket.isSessionReused(),
    serverName: arrival.hello?.serverName,
    certificate,
    fingerprint: certificate === undefined ? undefined : createHash('sha256').update(certificate).digest('hex'),
    groups: groupNames(arrival.hello?.groups ?? []),
    psk,
    channelBinding: binds && protocol === 'TLSv1.3' ? () => channelBinding(socket) : undefined,
  };
}

/** RFC 9266, 2. */
function channelBinding(socket: TLSSocket): Uint8Array {
  return socket.exportKeyingMaterial(BINDING_BYTES, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
}

function ignore(): void {}

const BINDING_BYTES = 32;
/** 16 name, 16 authentication, 16 encryption: Node's layout. */
const TICKET_KEY_BYTES = 48;
