// GET /api/v1/clients: every connection state. DELETE /api/v1/clients?clientId= | identity= | connection=: end some.

import { MotteError } from '@motte/admin/errors';
import { type Client, Clients, Kicked, KickQuery } from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView, ClientRow } from '../ports/admin-view.ts';

export function addClientRoutes(app: FastifyInstance, view: AdminView): void {
  app.get('/api/v1/clients', { schema: { response: { 200: Clients } } }, async (): Promise<Clients> => {
    return { format: 1, clients: view.clients().map(documentOf) };
  });

  app.delete<{ Querystring: KickQuery }>(
    '/api/v1/clients',
    { schema: { querystring: KickQuery, response: { 200: Kicked } } },
    async (request): Promise<Kicked> => {
      const { clientId, identity, connection } = request.query;
      const ended = view.kick({
        ...(clientId === undefined ? {} : { clientId }),
        ...(identity === undefined ? {} : { identity }),
        ...(connection === undefined ? {} : { connection: Number(connection) }),
      });
      if (ended === 0) throw new MotteError('MOT-0701', 'no connection fits');
      return { format: 1, ended };
    },
  );
}

function documentOf({ sinceMs, roles, ...row }: ClientRow): Client {
  return { ...row, roles: [...roles], since: new Date(sinceMs).toISOString() };
}
