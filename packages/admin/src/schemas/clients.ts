// GET and DELETE /api/v1/clients: every connection and stored session, and ending some.

import Type, { type Static } from 'typebox';
import { format, time } from './parts.ts';

export const Client = Type.Object({
  connection: Type.Integer({ description: '0 while away' }),
  state: Type.Union([
    Type.Literal('connecting'),
    Type.Literal('opening'),
    Type.Literal('connected'),
    Type.Literal('closing'),
    Type.Literal('away'),
  ]),
  clientId: Type.String(),
  identity: Type.String(),
  roles: Type.Array(Type.String()),
  listener: Type.String(),
  address: Type.String(),
  port: Type.Integer(),
  version: Type.Integer({ description: '3, 4 or 5; 0 until known' }),
  keepAlive: Type.Integer({ description: 'seconds' }),
  sessionExpiry: Type.Integer({ description: 'seconds' }),
  since: time,
  tls: Type.String({ description: 'version and suite; empty without TLS' }),
  tlsGroups: Type.String({ description: 'key exchange groups that the client offered, its favourite first' }),
  tlsResumed: Type.Boolean(),
  certificateDaysLeft: Type.Union([Type.Integer(), Type.Null()], {
    description: 'null where no certificate proved it',
  }),
  weakness: Type.String({ description: 'what is weaker than `identity.posture` wants; empty = nothing' }),
  subscriptions: Type.Integer(),
  queuedMessages: Type.Integer(),
  inFlight: Type.Integer(),
  unsentBytes: Type.Integer(),
});

export const Clients = Type.Object({ format, clients: Type.Array(Client) });

/** Exactly one of them selects. */
export const KickQuery = Type.Object(
  {
    clientId: Type.Optional(Type.String({ minLength: 1, maxLength: 65_535 })),
    identity: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    connection: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,14}$' })),
  },
  { additionalProperties: false, minProperties: 1, maxProperties: 1 },
);

export const Kicked = Type.Object({ format, ended: Type.Integer() });

export type Client = Static<typeof Client>;
export type Clients = Static<typeof Clients>;
export type KickQuery = Static<typeof KickQuery>;
export type Kicked = Static<typeof Kicked>;
