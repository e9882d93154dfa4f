// The enrolment listener's routes in JSON: /ca, /enrol, /join, /renew; EST stands beside it. A refusal has one shape for
// the peer whatever was wrong, and its reason goes to the operator.

import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { EnrolDesk, EnrolOutcome, EnrolRefusal } from '../../ports/enrol.ts';
import { SECURITY_HEADERS } from '../app.ts';
import { sourceOf } from '../source.ts';
import { addEstRoutes } from './est.ts';
import { NO_CERTIFICATE, RETRY_SECONDS, shownCertificate, type Tell } from './shared.ts';
import { SourceRate, type SourceRateLimits } from './source-rate.ts';

export interface EnrolAppOptions {
  readonly desk: EnrolDesk;
  readonly rate: SourceRateLimits;
  readonly bodyBytesMax: number;
  readonly onRefused: (refusal: EnrolRefusal) => void;
  /** Told of every fault of ours. */
  readonly onFault: (fault: Error) => void;
}

/** Builds the application, ready for `routing`; it listens nowhere by itself. */
export async function createEnrolApp(options: EnrolAppOptions): Promise<FastifyInstance> {
  const { desk, onRefused } = options;
  const app = Fastify({
    logger: false,
    bodyLimit: options.bodyBytesMax,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    frameworkErrors: (_fault, _request, reply) => void send(reply, 400, NOT_UNDERSTOOD),
  });
  const rate = new SourceRate(options.rate);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (rate.pass(sourceOf(addressOf(request)))) return;
    const because = 'this source asks for enrolment too often';
    onRefused({ address: addressOf(request), because, rule: 'enrol.rate', seen: 'HTTP 429', name: '' });
    return reply.code(429).header('retry-after', RETRY_SECONDS).send(TOO_OFTEN);
  });
  const misunderstood = (request: FastifyRequest, reply: FastifyReply, status: number, because: string) => {
    onRefused({ address: addressOf(request), because, rule: 'enrol.request', seen: `HTTP ${status}`, name: '' });
    return send(reply, status, NOT_UNDERSTOOD);
  };
  app.setErrorHandler((fault: Error & { statusCode?: number }, request, reply) => {
    const { statusCode = 500 } = fault;
    if (statusCode >= 400 && statusCode < 500) return misunderstood(request, reply, statusCode, fault.message);
    options.onFault(fault);
    return send(reply, 500, FAILED);
  });
  app.setNotFoundHandler((request, reply) => misunderstood(request, reply, 404, 'nothing is offered at this path'));

  const tell: Tell = (request, outcome, status, name = '') => {
    if (outcome.state === 'issued' || outcome.state === 'waiting') return;
    const { state, because } = outcome;
    const rule = state === 'refused' ? outcome.rule : state === 'unusable' ? 'enrol.request' : 'enrol.limit';
    onRefused({ address: addressOf(request), because, rule, seen: `HTTP ${status}`, name });
  };
  const answer = (request: FastifyRequest, reply: FastifyReply, outcome: EnrolOutcome, name?: string) => {
    const { status, body } = documentOf(outcome);
    tell(request, outcome, status, name);
    if (status === 202 || status === 503) reply.header('retry-after', RETRY_SECONDS);
    return reply.code(status).send(body);
  };

  app.get('/ca', async (_request, reply) => reply.type('application/x-pem-file').send(desk.root));
  // For devices that have certificates: whether there is a CA that they do not know yet.
  app.get('/roots', async (_request, reply) => reply.type('application/x-pem-file').send(desk.roots));
  app.post<{ Body: { token: string; csr: string } }>('/enrol', bodyOf('token', 'csr'), async (request, reply) =>
    answer(request, reply, await desk.redeem(request.body)),
  );
  app.post<{ Body: { name: string; csr: string } }>('/join', bodyOf('name', 'csr'), async (request, reply) =>
    answer(request, reply, await desk.ask(request.body), request.body.name),
  );
  app.post<{ Body: { csr: string; proof: string } }>('/renew', bodyOf('csr', 'proof'), async (request, reply) => {
    const certificate = shownCertificate(request);
    if (certificate === undefined) return answer(request, reply, NO_CERTIFICATE);
    return answer(request, reply, await desk.renew({ ...request.body, certificate }));
  });
  addEstRoutes(app, { desk, tell });
  await app.ready();
  return app;
}

function documentOf(outcome: EnrolOutcome): { status: number; body: object } {
  switch (outcome.state) {
    case 'issued':
      return { status: 200, body: { format: 1, state: 'issued', ...outcome.device } };
    case 'waiting': {
      const { state, name, id, fingerprint } = outcome;
      return { status: 202, body: { format: 1, state, name, id, fingerprint } };
    }
    case 'refused':
      return { status: 403, body: REFUSED };
    case 'unusable':
      return { status: 400, body: { format: 1, state: 'unusable', why: outcome.because } };
    case 'busy':
      return { status: 503, body: BUSY };
  }
}

function send(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply.code(status).send(body);
}

/** Exactly these texts. */
function bodyOf(...names: string[]) {
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  return { schema: { body: { type: 'object', properties, required: names, additionalProperties: false } } };
}

function addressOf(request: FastifyRequest): string {
  return request.raw.socket.remoteAddress ?? '';
}

const REFUSED = { format: 1, state: 'refused', why: 'no certificate is given' };
const BUSY = { format: 1, state: 'busy', why: 'try again in a minute' };
const TOO_OFTEN = { format: 1, state: 'busy', why: 'asked too often; try again in a minute' };
const NOT_UNDERSTOOD = { format: 1, state: 'unusable', why: 'not a request that is understood here' };
const FAILED = { format: 1, state: 'busy', why: 'the request could not be served' };
