// GET and POST /api/v1/users, PUT /api/v1/users/:name/password, DELETE /api/v1/users/:name: who logs in with a password.
// A password goes in and nothing of it comes out.

import Type, { type Static } from 'typebox';
import { format, name, time } from './parts.ts';

const realm = Type.Union([Type.Literal('password'), Type.Literal('scram')]);

/** Its length is judged by the rule for new passwords, which says more than a schema can. */
const password = Type.String({ maxLength: 4096 });

export const User = Type.Object({
  name: Type.String(),
  realm,
  roles: Type.Array(Type.String()),
  state: Type.Union([Type.Literal('active'), Type.Literal('disabled')]),
  added: time,
  connections: Type.Integer(),
});

export const UserList = Type.Object({ format, users: Type.Array(User) });
export const UserDocument = Type.Object({ format, user: User });

export const NewUser = Type.Object(
  { name, realm, roles: Type.Array(name, { maxItems: 32, uniqueItems: true }), password },
  { additionalProperties: false },
);

export const UserParams = Type.Object({ name }, { additionalProperties: false });
export const NewPassword = Type.Object({ password }, { additionalProperties: false });

export const UserChanged = Type.Object({ format, name: Type.String(), connections: Type.Integer() });
export const UserRemoved = Type.Object({
  format,
  name: Type.String(),
  connections: Type.Integer({ description: 'that ended' }),
  sessions: Type.Integer({ description: 'that ended, connected and away' }),
});

export type User = Static<typeof User>;
export type UserList = Static<typeof UserList>;
export type UserDocument = Static<typeof UserDocument>;
export type NewUser = Static<typeof NewUser>;
export type UserParams = Static<typeof UserParams>;
export type NewPassword = Static<typeof NewPassword>;
export type UserChanged = Static<typeof UserChanged>;
export type UserRemoved = Static<typeof UserRemoved>;
