// GET /api/v1/refusals?query=last|CLIENT|IDENTITY|IP|ID&max=N, newest first.

import { type Refusal, RefusalQuery, Refusals } from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView, RefusalRow } from '../ports/admin-view.ts';

export function addRefusalRoutes(app: FastifyInstance, view: AdminView): void {
  app.get<{ Querystring: RefusalQuery }>(
    '/api/v1/refusals',
    { schema: { querystring: RefusalQuery, response: { 200: Refusals } } },
    async (request): Promise<Refusals> => {
      const { query = '', max = '20' } = request.query;
      return { format: 1, refusals: view.refusals(query, Math.min(Number(max), REFUSALS_MAX)).map(documentOf) };
    },
  );
}

function documentOf({ firstMs, atMs, ...row }: RefusalRow): Refusal {
  return { ...row, first: new Date(firstMs).toISOString(), at: new Date(atMs).toISOString() };
}

const REFUSALS_MAX = 1000;
