// Questions about rights: what somebody may do, and who may do something.

import { AccessChecked, AccessHolders, AccessQuery, HoldersQuery } from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';

export function addAccessRoutes(app: FastifyInstance, view: AdminView): void {
  app.get<{ Querystring: AccessQuery }>(
    '/api/v1/access/check',
    { schema: { querystring: AccessQuery, response: { 200: AccessChecked } } },
    async ({
      query: { client, action, topic, qos = '0', retain = 'false', from = '', via = '' },
    }): Promise<AccessChecked> => {
      const question = { client, action, topic, qos: Number(qos) as 0 | 1 | 2, retain: retain === 'true', from, via };
      const { roles, considered, ...answer } = view.access.check(question);
      return { format: 1, ...answer, roles: [...roles], considered: considered.map((one) => ({ ...one })) };
    },
  );

  app.get<{ Querystring: HoldersQuery }>(
    '/api/v1/access/who',
    { schema: { querystring: HoldersQuery, response: { 200: AccessHolders } } },
    async ({ query: { topic } }): Promise<AccessHolders> => {
      return { format: 1, topic, holders: view.access.who(topic).map((one) => ({ ...one })) };
    },
  );
}
