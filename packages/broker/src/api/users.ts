// The users: list, add, a new password, remove. Every answer is made field by field: a verifier has no way out.

import {
  NewPassword,
  NewUser,
  type User,
  UserChanged,
  UserDocument,
  UserList,
  UserParams,
  UserRemoved,
} from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';
import type { UserRow } from '../ports/users.ts';

export function addUserRoutes(app: FastifyInstance, { users }: AdminView): void {
  app.get('/api/v1/users', { schema: { response: { 200: UserList } } }, async (): Promise<UserList> => {
    return { format: 1, users: users.list().map(documentOf) };
  });

  app.post<{ Body: NewUser }>(
    '/api/v1/users',
    { schema: { body: NewUser, response: { 201: UserDocument } } },
    async (request, reply): Promise<UserDocument> => {
      const user = await users.add(request.body);
      reply.code(201);
      return { format: 1, user: documentOf(user) };
    },
  );

  app.put<{ Params: UserParams; Body: NewPassword }>(
    '/api/v1/users/:name/password',
    { schema: { params: UserParams, body: NewPassword, response: { 200: UserChanged } } },
    async ({ params: { name }, body }): Promise<UserChanged> => {
      return { format: 1, name, connections: await users.setPassword(name, body.password) };
    },
  );

  app.delete<{ Params: UserParams }>(
    '/api/v1/users/:name',
    { schema: { params: UserParams, response: { 200: UserRemoved } } },
    async ({ params: { name } }): Promise<UserRemoved> => ({ format: 1, name, ...(await users.remove(name)) }),
  );
}

function documentOf({ name, realm, roles, state, addedAtMs, connections }: UserRow): User {
  return { name, realm, roles: [...roles], state, added: new Date(addedAtMs).toISOString(), connections };
}
