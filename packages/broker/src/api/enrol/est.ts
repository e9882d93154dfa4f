// EST, enrolment for devices that speak it: cacerts, simpleenroll by token, simplereenroll by certificate, csrattrs.
// RFC 7030: 3.2.2 (paths), 4.1 (cacerts), 4.2 (enrolment), 4.5 (attributes). Keys made on the server, CMC and other CA
// labels are not offered.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EnrolDesk, EnrolOutcome } from '../../ports/enrol.ts';
import { NO_CERTIFICATE, RETRY_SECONDS, shownCertificate, type Tell } from './shared.ts';

export interface EstParts {
  readonly desk: EnrolDesk;
  readonly tell: Tell;
}

export function addEstRoutes(app: FastifyInstance, { desk, tell }: EstParts): void {
  app.addContentTypeParser('application/pkcs10', { parseAs: 'string' }, (_request, body, done) => done(null, body));

  app.get(`${BASE}/cacerts`, async (_request, reply) => sendCms(reply, await desk.caCerts()));
  app.get(`${BASE}/csrattrs`, async (_request, reply) =>
    reply.header('content-transfer-encoding', 'base64').type('application/csrattrs').send(lines(CSR_ATTRIBUTES)),
  );
  app.post(`${BASE}/simpleenroll`, async (request, reply) => {
    const shown = basicOf(request);
    // Asked once more, with what has to be shown: clients begin without it (RFC 7030, 3.2.3).
    if (shown === undefined) return challenge(reply);
    const csr = requestOf(request);
    const outcome = csr === undefined ? NOT_A_REQUEST : await desk.redeem({ token: shown, csr });
    const name = shown.slice(0, shown.indexOf(':'));
    if (outcome.state === 'refused') {
      tell(request, outcome, 401, name);
      return challenge(reply);
    }
    return answer(request, reply, outcome, name);
  });
  app.post(`${BASE}/simplereenroll`, async (request, reply) => {
    const csr = requestOf(request);
    const certificate = shownCertificate(request);
    if (certificate === undefined) return answer(request, reply, NO_CERTIFICATE, '');
    return answer(
      request,
      reply,
      csr === undefined ? NOT_A_REQUEST : await desk.renew({ certificate, csr, proof: '' }),
      '',
    );
  });

  const answer = async (request: FastifyRequest, reply: FastifyReply, outcome: EnrolOutcome, name: string) => {
    switch (outcome.state) {
      case 'issued':
        return sendCms(reply, await desk.certsOnly(outcome.device.certificate));
      case 'waiting':
        // RFC 7030, 4.2.3: ask again later with the same request.
        return reply.code(202).header('retry-after', RETRY_SECONDS).type(TEXT).send(WAITING(outcome.id));
      case 'refused':
        tell(request, outcome, 403, name);
        return reply.code(403).type(TEXT).send('refused\n');
      case 'unusable':
        tell(request, outcome, 400, name);
        return reply.code(400).type(TEXT).send(`${outcome.because}\n`);
      case 'busy':
        tell(request, outcome, 503, name);
        return reply.code(503).header('retry-after', RETRY_SECONDS).type(TEXT).send('try again in a minute\n');
    }
  };
}

function challenge(reply: FastifyReply) {
  return reply.code(401).header('www-authenticate', 'Basic realm="motte"').type(TEXT).send('NAME and token, please\n');
}

/** NAME:SECRET of HTTP Basic (RFC 7617); undefined if there is none. */
function basicOf(request: FastifyRequest): string | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]{1,200})$/i.exec(request.headers.authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  return text.includes(':') ? text : undefined;
}

/** The body as PEM: base64 with or without line ends, some clients send the PEM itself; undefined if it is neither. */
function requestOf(request: FastifyRequest): string | undefined {
  if (typeof request.body !== 'string') return undefined;
  const base64 = request.body.replace(/-----(?:BEGIN|END)(?: NEW)? CERTIFICATE REQUEST-----/g, '').replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const wrapped = base64.replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${wrapped}\n-----END CERTIFICATE REQUEST-----\n`;
}

function sendCms(reply: FastifyReply, der: Buffer) {
  return reply
    .header('content-transfer-encoding', 'base64')
    .type('application/pkcs7-mime; smime-type=certs-only')
    .send(lines(der));
}

function lines(der: Buffer): string {
  return `${der.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n')}\r\n`;
}

const BASE = '/.well-known/est';
const TEXT = 'text/plain; charset=utf-8';
const WAITING = (id: string) => `waits for approval as ${id}\n`;
const NOT_A_REQUEST: EnrolOutcome = { state: 'unusable', because: 'the body is not a PKCS #10 request in base64' };
/** RFC 7030, 4.5.2: ecdsa-with-SHA256, and id-ecPublicKey on prime256v1. */
const CSR_ATTRIBUTES = Buffer.from('302106082a8648ce3d040302301506072a8648ce3d0201310a06082a8648ce3d030107', 'hex');
