// GET /api/v1/tokens, POST and DELETE of issuers and revocations: whose tokens are taken, and which are not any more.

import Type, { type Static } from 'typebox';
import { format, name, time } from './parts.ts';

const issuer = Type.String({ minLength: 1, maxLength: 256 });
const id = Type.String({ minLength: 1, maxLength: 256, description: 'the claim jti' });

export const TokenIssuer = Type.Object({
  issuer: Type.String(),
  audience: Type.String(),
  jwks: Type.String(),
  names: Type.Array(Type.String(), { description: 'empty = every name' }),
  kind: Type.Union([Type.Literal('device'), Type.Literal('user')]),
  from: Type.Union([Type.Literal('motte.yaml'), Type.Literal('data')]),
  fault: Type.Optional(Type.String({ description: 'why its keys cannot be read' })),
});

/** Exactly one of `id` and `name`. */
export const TokenRevocation = Type.Object({
  issuer: Type.String(),
  id: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  revoked: time,
  until: Type.Optional(Type.String({ description: 'RFC 3339, UTC; absent = until it is lifted' })),
});

export const Tokens = Type.Object({
  format,
  issuers: Type.Array(TokenIssuer),
  revocations: Type.Array(TokenRevocation),
});

/** An entry of `identity.tokens`; what its keys may be is judged by the rules of motte.yaml. */
export const NewTokenIssuer = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 32 });
export const TokenIssuerDocument = Type.Object({ format, issuer: TokenIssuer });

export const IssuerQuery = Type.Object({ issuer }, { additionalProperties: false });
export const IssuerRemoved = Type.Object({
  format,
  issuer: Type.String(),
  connections: Type.Integer({ description: 'that ended' }),
  sessions: Type.Integer({ description: 'that ended, connected and away' }),
});

const choice = { issuer, id: Type.Optional(id), name: Type.Optional(name) };
export const TokenChoice = Type.Object(choice, { additionalProperties: false });
export const NewTokenRevocation = Type.Object(
  { ...choice, untilMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 8.64e15 })) },
  { additionalProperties: false },
);
export const TokenRevoked = Type.Object({
  format,
  revocation: TokenRevocation,
  connections: Type.Integer({ description: 'that ended' }),
  sessions: Type.Integer({ description: 'that ended, connected and away' }),
});
export const TokenLifted = Type.Object({ format });

export type TokenIssuer = Static<typeof TokenIssuer>;
export type TokenRevocation = Static<typeof TokenRevocation>;
export type Tokens = Static<typeof Tokens>;
export type NewTokenIssuer = Static<typeof NewTokenIssuer>;
export type TokenIssuerDocument = Static<typeof TokenIssuerDocument>;
export type IssuerQuery = Static<typeof IssuerQuery>;
export type IssuerRemoved = Static<typeof IssuerRemoved>;
export type TokenChoice = Static<typeof TokenChoice>;
export type NewTokenRevocation = Static<typeof NewTokenRevocation>;
export type TokenRevoked = Static<typeof TokenRevoked>;
export type TokenLifted = Static<typeof TokenLifted>;
