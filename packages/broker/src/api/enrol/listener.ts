// The enrolment listener itself: https, open for as long as it is wanted, bounded in connections, sizes and time. A client
// certificate is asked for and may be missing, ended or foreign: TLS checks none of it, and whoever uses one does.

import { constants } from 'node:crypto';
import { createServer } from 'node:https';
import type { EnrolDesk, EnrolRefusal } from '../../ports/enrol.ts';
import { bound, HANDSHAKE_MS, HTTP_LIMITS, listen, TLS_PARAMETERS } from '../bound.ts';
import { createEnrolApp } from './app.ts';

export interface EnrolTls {
  readonly cert: string;
  readonly key: string;
  /** CAs whose client certificates are asked for. */
  readonly clientCa: string;
}

export interface EnrolListenerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly tls: EnrolTls;
  readonly desk: EnrolDesk;
  readonly limits?: Partial<EnrolLimits>;
  readonly onRefused: (refusal: EnrolRefusal) => void;
  readonly onFault: (fault: Error) => void;
}

export interface EnrolLimits {
  readonly connectionsMax: number;
  readonly connectionsPerSourceMax: number;
  readonly bodyBytesMax: number;
  readonly rate: { readonly burst: number; readonly perMinute: number; readonly sourcesMax: number };
}

export interface EnrolListener {
  readonly port: number;
  /** New connections get this certificate. */
  setTls(tls: EnrolTls): void;
  /** When it resolves nothing is open any more. */
  close(): Promise<void>;
}

/** Opens it; throws what the system says if the address cannot be had. */
export async function openEnrolListener(options: EnrolListenerOptions): Promise<EnrolListener> {
  const { host, desk, onRefused, onFault } = options;
  const limits = { ...ENROL_LIMITS, ...options.limits };
  const app = await createEnrolApp({ desk, onRefused, onFault, rate: limits.rate, bodyBytesMax: limits.bodyBytesMax });
  const tls = { ...tlsOptions(options.tls), handshakeTimeout: HANDSHAKE_MS };
  const server = createServer({ ...HTTP_LIMITS, requestTimeout: REQUEST_MS, ...tls }, app.routing);
  const { end } = bound(server, limits);
  const close = async (): Promise<void> => {
    await end();
    await app.close();
  };
  try {
    await listen(server, { host, port: options.port, ipv6Only: false });
  } catch (fault) {
    await app.close();
    throw fault;
  }
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : options.port,
    setTls: (next) => server.setSecureContext(tlsOptions(next)),
    close,
  };
}

function tlsOptions({ cert, key, clientCa }: EnrolTls) {
  return {
    cert,
    key,
    ca: clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    ...TLS_PARAMETERS,
    // Whoever resumes has shown no key.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

export const ENROL_LIMITS: EnrolLimits = {
  connectionsMax: 64,
  connectionsPerSourceMax: 16,
  bodyBytesMax: 16 * 1024,
  rate: { burst: 30, perMinute: 30, sourcesMax: 4_096 },
};
const REQUEST_MS = 15_000;
