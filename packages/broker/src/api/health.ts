// /healthz: the process answers. /readyz: every listener accepts. One line each, open to everyone who reaches the door.

import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';
import { healthOf } from './status.ts';

export function addHealthRoutes(app: FastifyInstance, view: AdminView): void {
  app.get('/healthz', async (_request, reply) => reply.type(TEXT).send('ok\n'));
  app.get('/readyz', async (_request, reply) => {
    const ready = view.phase === 'serving' && healthOf(view).every((finding) => finding.subject !== 'listener');
    return reply
      .code(ready ? 200 : 503)
      .type(TEXT)
      .send(ready ? 'ready\n' : 'not ready\n');
  });
}

const TEXT = 'text/plain; charset=utf-8';
