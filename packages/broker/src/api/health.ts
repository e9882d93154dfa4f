// /healthz: the process answers and its store takes what it has to. /readyz: every listener accepts as well. One line each, open
// to everyone who reaches the door.

import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';
import { healthOf } from './status.ts';

export function addHealthRoutes(app: FastifyInstance, view: AdminView): void {
  app.get('/healthz', async (_request, reply) => {
    const well = view.findings().every(({ subject }) => subject !== 'store');
    return reply
      .code(well ? 200 : 503)
      .type(TEXT)
      .send(well ? 'ok\n' : 'nothing can be stored\n');
  });
  app.get('/readyz', async (_request, reply) => {
    const ready = view.phase === 'serving' && healthOf(view).every(({ subject }) => !NOT_READY.has(subject));
    return reply
      .code(ready ? 200 : 503)
      .type(TEXT)
      .send(ready ? 'ready\n' : 'not ready\n');
  });
}

/** Findings with which nobody should be sent here; with others the broker does its work. */
const NOT_READY: ReadonlySet<string> = new Set(['listener', 'store', 'clock']);
const TEXT = 'text/plain; charset=utf-8';
