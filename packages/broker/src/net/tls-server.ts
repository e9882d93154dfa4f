// One server certificate of a listener, or its pre-shared keys: a TLS server that never listens and is given sockets whose ClientHello was read
// already. Owns its ticket keys and session context, so no ticket is good anywhere else: not on another listener, not under
// another server certificate, not after the trust has changed.

import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { ListenerConfig } from '../ports/config.ts';
import { TLS_CIPHERS, TLS_GROUPS, TLS_PSK_CIPHERS } from '../ports/tls-parameters.ts';
import { explainMaterialError } from './listener-fault.ts';
import { chooseProtocol, protocolNames } from './protocol-names.ts';

/** What the server shows and trusts. */
export type ServerProof =
  | {
      readonly kind: 'certificate';
      /** PEM. */
      readonly cert: string;
      readonly key: string;
      readonly clientCa: string;
      /** Tells the certificates of one listener apart. */
      readonly slot: string;
      readonly ticketKeys: Buffer;
      /** Absent where nothing is ever stapled. One certificate to a server: an answer cannot go with another. */
      readonly staple?: (() => Uint8Array | undefined) | undefined;
    }
  | {
      readonly kind: 'psk';
      /** Asked in the handshake; null = there can be no such name. */
      readonly keyOf: (socket: TLSSocket, identity: string) => Uint8Array | null;
    };

export interface TlsServerParts {
  readonly config: ListenerConfig;
  readonly proof: ServerProof;
  readonly handshakeDeadlineMs: number;
  readonly secured: (socket: TLSSocket) => void;
  readonly failed: (error: NodeJS.ErrnoException, socket: TLSSocket) => void;
}

export class TlsServer {
  readonly #server: Server;

  /** Throws ListenerFault if certificate, key and CA do not work together. */
  constructor(parts: TlsServerParts) {
    const { config } = parts;
    try {
      this.#server = createServer(optionsOf(parts));
    } catch (error) {
      throw explainMaterialError(`listener ${config.name} (${config.url})`, error as NodeJS.ErrnoException);
    }
    const { proof } = parts;
    if (proof.kind === 'certificate' && proof.staple !== undefined) {
      const { staple } = proof;
      this.#server.on('OCSPRequest', (_certificate, _issuer, answer) => answer(null, bufferOf(staple())));
    }
    this.#server.on('secureConnection', parts.secured);
    this.#server.on('tlsClientError', parts.failed);
  }

  /** Takes over a socket whose first bytes were put back. */
  take(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /** For handshakes from now on; what was encrypted under the old keys is worth nothing any more. */
  setTicketKeys(keys: Buffer): void {
    this.#server.setTicketKeys(keys);
  }
}

/** Null = nothing; the handshake goes on without. */
function bufferOf(answer: Uint8Array | undefined): Buffer {
  return (answer === undefined ? null : Buffer.from(answer)) as Buffer;
}

function optionsOf({ config, proof, handshakeDeadlineMs }: TlsServerParts): TlsOptions {
  const spoken = protocolNames(config);
  const options: TlsOptions = {
    handshakeTimeout: handshakeDeadlineMs,
    minVersion: config.tlsMinVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ecdhCurve: TLS_GROUPS,
    honorCipherOrder: true,
    ALPNCallback: ({ protocols }) => chooseProtocol(protocols, spoken),
  };
  return proof.kind === 'psk'
    ? { ...options, ...pskOptions(proof) }
    : { ...options, ...certificateOptions(config, proof) };
}

function certificateOptions(
  config: ListenerConfig,
  { cert, key, clientCa, slot, ticketKeys }: Extract<ServerProof, { kind: 'certificate' }>,
): TlsOptions {
  const { name, authentication, ticketSeconds = TICKET_SECONDS } = config;
  const trust = createHash('sha256').update(`${name}\n${authentication}\n${clientCa}\n${slot}`).digest('hex');
  return {
    cert,
    key,
    ...(wantsCertificate(config) ? { ca: clientCa } : {}),
    requestCert: wantsCertificate(config),
    // Where something else may prove the client, whatever certificate it shows is judged at its CONNECT.
    rejectUnauthorized: authentication === 'certificate',
    ciphers: TLS_CIPHERS,
    secureOptions: SECURE_OPTIONS | constants.SSL_OP_PRIORITIZE_CHACHA,
    sessionIdContext: trust.slice(0, SESSION_CONTEXT_LENGTH),
    sessionTimeout: ticketSeconds,
    ticketKeys,
  };
}

/** No certificate on either side, and no ticket that is worth anything: who holds the key is shown in every handshake. */
function pskOptions({ keyOf }: Extract<ServerProof, { kind: 'psk' }>): TlsOptions {
  return {
    // TLS 1.3 knows a key by its own name here, RFC 8446 4.2.11; with (EC)DHE only, which OpenSSL keeps to by itself.
    pskCallback: keyOf as unknown as NonNullable<TlsOptions['pskCallback']>,
    ciphers: TLS_PSK_CIPHERS,
    secureOptions: SECURE_OPTIONS | constants.SSL_OP_NO_TICKET,
    sessionTimeout: 1,
  };
}

function wantsCertificate({ authentication }: ListenerConfig): boolean {
  return authentication === 'certificate' || authentication === 'any';
}

const SECURE_OPTIONS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION;

/** OpenSSL takes 32 bytes. */
const SESSION_CONTEXT_LENGTH = 32;
/** How long a ticket saves a full handshake; what it proves is checked at every CONNECT all the same. */
const TICKET_SECONDS = 3600;
