// The broker's configuration as it reaches the broker: parsed, checked and frozen by whoever read it.

import type { ListenerFacts } from './connection-facts.ts';
import type { Limits } from './limits.ts';
import type { PosturePolicy } from './posture.ts';

export interface ListenerConfig extends ListenerFacts {
  /** As written, for messages. */
  readonly url: string;
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** WebSocket path, or the path of a Unix socket. */
  readonly path: string;
  readonly connectionsMax: number;
  /** The oldest TLS version that is spoken; absent = 1.2. */
  readonly tlsMinVersion?: '1.2' | '1.3';
  /** How long a session ticket is good; absent = an hour. */
  readonly ticketSeconds?: number;
  /** A second protocol name that clients may ask for by ALPN, beside `mqtt`. */
  readonly alpn?: string;
  /** Browser origins that may open a WebSocket here; a request without an Origin is not from a browser. */
  readonly origins: readonly string[];
}

export interface AdmissionConfig {
  /** TLS handshakes under way at once, over all sources. */
  readonly handshakesAtOnceMax: number;
  readonly connectionsPerSourceMax: number;
  /** Accepted sockets that wait for their turn, over all listeners. */
  readonly waitingMax: number;
  /** Above it the event loop counts as late, and new connections are let in slowly. */
  readonly lagMsMax: number;
  /** Addresses and CIDRs without a budget. */
  readonly exempt: readonly string[];
}

/** What becomes of the retained messages of an identity that is taken away. */
export type OnRevoke =
  | { readonly kind: 'keep' | 'clear' }
  /** Kept, and one that says that it is gone is retained on this topic; `${device}` stands for its name. */
  | { readonly kind: 'publish'; readonly topic: string };

export interface BrokerConfig {
  /** Raised by every reload. */
  readonly number: number;
  readonly listeners: readonly ListenerConfig[];
  readonly limits: Limits;
  readonly admission: AdmissionConfig;
  /** Absent = keep. */
  readonly onRevoke?: OnRevoke;
  /** Absent = nobody is looked at beyond the proof of identity. */
  readonly posture?: PosturePolicy | undefined;
  readonly store: {
    readonly kind: 'level' | 'memory';
    readonly lingerMs: number;
    /** Nothing new is stored while less is free on the disk; absent or 0 = that is not looked at. */
    readonly freeBytesMin?: number;
    /** Gathered in memory before it is sorted into files; absent or 0 = as much as a broker of the least memory has. */
    readonly writeBufferBytes?: number;
  };
}

/** A server certificate beside the default one; PEM. */
export interface FurtherCertificate {
  readonly cert: string;
  readonly key: string;
  /** Host names that it is shown for, `*.` standing for one label; absent = those that it states. */
  readonly names?: readonly string[];
}

/** What TLS listeners present and trust; PEM. */
export interface TlsMaterial {
  /** The server's leaf certificate followed by its issuing CA. */
  readonly cert: string;
  readonly key: string;
  /** Roots and issuing CAs that client certificates must lead to. */
  readonly clientCa: string;
  /** The same of foreign authorities, by realm; a listener trusts those that it names. */
  readonly foreignCa?: readonly { readonly realm: string; readonly pem: string }[];
  /** What is stapled to a certificate for clients that ask for it (RFC 6066, 8), by its PEM; asked in each such handshake. */
  readonly staple?: (cert: string) => Uint8Array | undefined;
  /** Shown instead of the default one to clients that ask for its names, or that cannot use the default one's kind of key. */
  readonly further?: readonly FurtherCertificate[];
}
