// TLS for one listener: a server that never listens and is given sockets whose ClientHello was read already. Certificates
// are demanded and checked by OpenSSL here; what they prove is decided by the proof of identity at CONNECT, and nothing here
// is taken for a proof. Ticket keys and session context are the listener's own, so no ticket is good anywhere else.

import { constants, createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { ListenerConfig, TlsMaterial } from '../ports/config.ts';
import type { TlsFacts } from '../ports/connection-facts.ts';
import type { Arrival, TransportRefusal } from './arrivals.ts';
import { explainMaterialError } from './listener-fault.ts';
import { peerCertificate } from './peer-certificate.ts';
import { explainTlsFailure } from './tls-refusal.ts';

export interface TlsDoorParts {
  readonly config: ListenerConfig;
  readonly material: TlsMaterial;
  readonly handshakeDeadlineMs: number;
  readonly secured: (arrival: Arrival, socket: TLSSocket, facts: TlsFacts) => void;
  readonly refused: (arrival: Arrival, refusal: TransportRefusal | undefined) => void;
}

export class TlsDoor {
  readonly #parts: TlsDoorParts;
  readonly #server: Server;
  readonly #arrivals = new WeakMap<Socket, Arrival>();
  #material: TlsMaterial;
  #ticketKeys = randomBytes(TICKET_KEY_BYTES);

  /** Throws ListenerFault if certificate, key and CA do not work together. */
  constructor(parts: TlsDoorParts) {
    this.#parts = parts;
    this.#material = parts.material;
    const options = this.#options(parts.material);
    this.#server = createServer({
      ...options,
      requestCert: wantsCertificate(parts.config),
      // Where something else may prove the client, whatever certificate it shows is judged at its CONNECT.
      rejectUnauthorized: parts.config.authentication === 'certificate',
      handshakeTimeout: parts.handshakeDeadlineMs,
    });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#failed(error, socket));
  }

  /** Takes over a socket whose first bytes were put back. */
  take(arrival: Arrival): void {
    this.#arrivals.set(arrival.raw, arrival);
    this.#server.emit('connection', arrival.raw);
  }

  /** For new handshakes from now on. Tickets stay good only if the trust is unchanged. Throws ListenerFault and keeps the old. */
  setMaterial(material: TlsMaterial): void {
    const ticketKeys = this.#ticketKeys;
    if (material.clientCa !== this.#material.clientCa) this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
    try {
      this.#server.setSecureContext(this.#options(material));
    } catch (error) {
      this.#ticketKeys = ticketKeys;
      throw error;
    }
    this.#material = material;
  }

  #options(material: TlsMaterial): TlsOptions {
    const { name, url, authentication, tlsMinVersion } = this.#parts.config;
    const trust = createHash('sha256').update(`${name}\n${authentication}\n${material.clientCa}`).digest('hex');
    const options: TlsOptions = {
      cert: material.cert,
      key: material.key,
      ...(wantsCertificate(this.#parts.config) ? { ca: material.clientCa } : {}),
      minVersion: tlsMinVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ciphers: CIPHERS,
      ecdhCurve: GROUPS,
      honorCipherOrder: true,
      secureOptions:
        constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION | constants.SSL_OP_PRIORITIZE_CHACHA,
      sessionIdContext: trust.slice(0, SESSION_CONTEXT_LENGTH),
      sessionTimeout: TICKET_SECONDS,
      ticketKeys: this.#ticketKeys,
    };
    try {
      createSecureContext(options);
    } catch (error) {
      throw explainMaterialError(`listener ${name} (${url})`, error as NodeJS.ErrnoException);
    }
    return options;
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
  };
}

function wantsCertificate({ authentication }: ListenerConfig): boolean {
  return authentication === 'certificate' || authentication === 'any';
}

function ignore(): void {}

/** Forward secrecy and authenticated encryption only; the three of TLS 1.3, then those of TLS 1.2. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
const GROUPS = 'X25519:prime256v1:secp384r1';

/** 16 name, 16 authentication, 16 encryption: Node's layout. */
const TICKET_KEY_BYTES = 48;
/** OpenSSL takes 32 bytes. */
const SESSION_CONTEXT_LENGTH = 32;
/** How long a ticket saves a full handshake; what it proves is checked at every CONNECT all the same. */
const TICKET_SECONDS = 3600;
