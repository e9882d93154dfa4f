// The routes of users: what goes in, what comes out, and that nothing a user is checked against ever does.

import { MotteError } from '@motte/admin';
import { expect, it } from 'vitest';
import type { AdminView } from '../ports/admin-view.ts';
import type { NewUser, Users } from '../ports/users.ts';
import { createApp } from './app.ts';

/** What a careless implementation might hand along. */
const SECRET = { verifier: { kind: 'argon2id', hash: '$argon2id$secret' }, password: 'secret' };
const ADA = {
  name: 'ada',
  realm: 'scram',
  roles: ['operator'],
  state: 'active',
  addedAtMs: 0,
  connections: 2,
} as const;

async function appWith(users: Partial<Users>): Promise<Awaited<ReturnType<typeof createApp>>> {
  return createApp({ users } as unknown as AdminView, { door: 'socket' });
}

it('lists users without what they are checked against', async () => {
  const app = await appWith({ list: () => [{ ...ADA, ...SECRET }] });
  const answer = await app.inject('/api/v1/users');
  const { addedAtMs: _, ...rest } = ADA;
  expect(answer.json()).toEqual({ format: 1, users: [{ ...rest, added: '1970-01-01T00:00:00.000Z' }] });
});

it('adds one, and answers without its password', async () => {
  const added: NewUser[] = [];
  const app = await appWith({
    add: async (user) => {
      added.push(user);
      return { ...ADA, ...SECRET };
    },
  });
  const payload = { name: 'ada', realm: 'scram', roles: ['operator'], password: 'a secret of mine' };
  const answer = await app.inject({ method: 'POST', url: '/api/v1/users', payload });
  expect(answer.statusCode).toBe(201);
  expect(added).toEqual([payload]);
  expect(answer.body).not.toMatch(/secret|verifier|argon2/);
});

it.each([
  ['another realm', { realm: 'ca:motte' }],
  ['a name with a slash', { name: 'a/b' }],
  ['no password', { password: undefined }],
  ['a password that is no text', { password: 7 }],
  ['a ready verifier', { verifier: SECRET.verifier }],
  ['a kind of its own', { kind: 'device' }],
])('refuses %s, and says nothing of the password', async (_what, change) => {
  const app = await appWith({ add: () => Promise.reject(new Error('was asked')) });
  const payload = { name: 'ada', realm: 'password', roles: [], password: 'a secret of mine', ...change };
  const answer = await app.inject({ method: 'POST', url: '/api/v1/users', payload });
  expect(answer.statusCode).toBe(400);
  expect(answer.body).not.toContain('secret of mine');
});

it('sets a password and removes a user, and says what ended', async () => {
  const app = await appWith({ setPassword: async () => 2, remove: async () => ({ connections: 2, sessions: 3 }) });
  const url = '/api/v1/users/ada';
  const changed = await app.inject({
    method: 'PUT',
    url: `${url}/password`,
    payload: { password: 'another one of mine' },
  });
  expect(changed.json()).toEqual({ format: 1, name: 'ada', connections: 2 });
  const removed = await app.inject({ method: 'DELETE', url });
  expect(removed.json()).toEqual({ format: 1, name: 'ada', connections: 2, sessions: 3 });
});

it('answers with what went wrong: no such user is 404', async () => {
  const app = await appWith({ remove: (name) => Promise.reject(new MotteError('MOT-0622', name)) });
  const answer = await app.inject({ method: 'DELETE', url: '/api/v1/users/nobody' });
  expect(answer.statusCode).toBe(404);
  expect(answer.json()).toMatchObject({ code: 'MOT-0622' });
});
