// The admin API as one Fastify application: routes by group, problem documents, security headers. `door` says where it
// stands: behind the Unix socket everything answers, on the console only health does until someone can log in there.

import Fastify, { type FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';
import { addAccessRoutes } from './access.ts';
import { addBackupRoutes } from './backup.ts';
import { addClientRoutes } from './clients.ts';
import { addConfigRoutes } from './config.ts';
import { addDeviceRoutes } from './devices.ts';
import { addHealthRoutes } from './health.ts';
import { addLearningRoutes } from './learning.ts';
import { addPolicyRoutes } from './policy.ts';
import { problem, problemOf, sendProblem } from './problem.ts';
import { addRefusalRoutes } from './refusals.ts';
import { addStatusRoutes } from './status.ts';
import { addTokenRoutes } from './tokens.ts';
import { addUserRoutes } from './users.ts';

export type Door = 'socket' | 'console';

export interface AppOptions {
  readonly door: Door;
  /** Told of every fault of ours. */
  readonly onFault?: (fault: Error) => void;
}

/** Builds the application, ready for `routing`; it listens nowhere by itself. */
export async function createApp(view: AdminView, options: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
    // A body or query that the schema does not allow is refused, never trimmed or converted until it fits.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    frameworkErrors: (fault, _request, reply) => void sendProblem(reply, problemOf(fault)),
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (options.door === 'socket' || OPEN_PATHS.has(pathOf(request.url))) return;
    reply.header('www-authenticate', 'Bearer realm="motte"');
    return sendProblem(reply, problem('MOT-0506', 'credentials are needed here'));
  });
  app.setErrorHandler((fault: Error, _request, reply) => {
    const document = problemOf(fault);
    if (document.status >= 500) options.onFault?.(fault);
    return sendProblem(reply, document);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, problem('MOT-0505', 'nothing answers at this path')));
  addHealthRoutes(app, view);
  addStatusRoutes(app, view);
  addClientRoutes(app, view);
  addRefusalRoutes(app, view);
  addDeviceRoutes(app, view);
  addUserRoutes(app, view);
  addTokenRoutes(app, view);
  addPolicyRoutes(app, view);
  addAccessRoutes(app, view);
  addLearningRoutes(app, view);
  addConfigRoutes(app, view);
  addBackupRoutes(app, view);
  await app.ready();
  return app;
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

const OPEN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz']);
const BODY_BYTES_MAX = 256 * 1024;
const PARAMETER_CHARACTERS_MAX = 1024;

export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
