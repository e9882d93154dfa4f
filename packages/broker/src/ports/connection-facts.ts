// What is known of a connection from the moment it was accepted; never changes afterwards.

import type { ProtocolVersion } from '@motte/wire';
import type { ProvenKey } from './psk.ts';

/** What proves an identity on a listener; `any` = whichever of the others but `none` and `psk` the client brings. */
export type AuthenticationMode = 'certificate' | 'password' | 'token' | 'scram' | 'psk' | 'any' | 'none';

/** Where a certificate of a foreign CA carries its name: that part must be PREFIX, NAME, SUFFIX. */
export interface CertificateName {
  readonly from: 'cn' | 'san-dns' | 'san-uri' | 'san-email' | 'subject' | 'fingerprint';
  readonly prefix?: string;
  readonly suffix?: string;
}

export interface ListenerFacts {
  readonly name: string;
  readonly scheme: 'mqtts' | 'wss' | 'mqtt' | 'ws' | 'mqtt+unix';
  readonly authentication: AuthenticationMode;
  /** The role that everyone on this listener gets; only with a waiver. */
  readonly role: string | undefined;
  /** `own`: the client id must be the identity's name or NAME/anything; `any` lifts that. */
  readonly clientIds: 'own' | 'any';
  readonly versions: readonly ProtocolVersion[];
  /** Realms whose certificates are taken here; absent = Motte's own. */
  readonly clientCa?: readonly string[];
  /** How those of foreign CAs say their name; absent = by their common name. */
  readonly certificateName?: CertificateName;
  /** What happens to a connection when the certificate or token that proved it ends; absent = `end`. */
  readonly onExpiry?: 'end' | 'warn';
}

export interface TlsFacts {
  readonly protocol: string;
  readonly cipher: string;
  readonly resumed: boolean;
  readonly serverName: string | undefined;
  /** The client's leaf certificate, DER; absent if none was presented. */
  readonly certificate: Uint8Array | undefined;
  /** Channel binding `tls-exporter` (RFC 9266), computed when it is asked for; absent below TLS 1.3 and where nobody would ask. */
  readonly channelBinding?: (() => Uint8Array) | undefined;
  /** SHA-256 of that certificate, lower-case hex. */
  readonly fingerprint: string | undefined;
  /** Key exchange groups that the client offered, its favourite first. */
  readonly groups?: string;
  /** The pre-shared key that both sides hold, on a listener for those. */
  readonly psk?: ProvenKey | undefined;
}

export interface ConnectionFacts {
  /** Monotone within one broker process. */
  readonly id: number;
  readonly listener: ListenerFacts;
  /** The peer's address as admission saw it; empty for a Unix socket. */
  readonly address: string;
  readonly port: number;
  readonly tls: TlsFacts | undefined;
  readonly openedAtMs: number;
}
