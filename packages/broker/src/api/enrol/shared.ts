// What the routes in JSON and those of EST have in common.

import type { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import type { EnrolOutcome } from '../../ports/enrol.ts';

/** How an outcome is told to the operator. */
export type Tell = (request: FastifyRequest, outcome: EnrolOutcome, status: number, name?: string) => void;

/** The certificate that the peer showed in this connection's own full handshake, PEM; whether it is any good is not said. */
export function shownCertificate(request: FastifyRequest): string | undefined {
  const socket = request.raw.socket as TLSSocket;
  // After a resumption nobody has shown that the key is there.
  if (socket.isSessionReused()) return undefined;
  const leaf = socket.getPeerX509Certificate();
  return leaf?.toString();
}

export const NO_CERTIFICATE: EnrolOutcome = {
  state: 'refused',
  because: 'a renewal without a certificate: the device has to show the one that it has',
  rule: 'enrol.renew',
};

export const RETRY_SECONDS = 30;
