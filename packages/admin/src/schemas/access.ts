// GET /api/v1/access/check and /access/who: what somebody may do, and who may do something.

import Type, { type Static } from 'typebox';
import { format } from './parts.ts';

const topic = Type.String({ minLength: 1, maxLength: 4096 });

export const AccessQuery = Type.Object(
  {
    client: Type.String({ minLength: 1, maxLength: 512 }),
    action: Type.Union([Type.Literal('publish'), Type.Literal('subscribe'), Type.Literal('receive')]),
    topic,
    qos: Type.Optional(Type.String({ pattern: '^[012]$' })),
    retain: Type.Optional(Type.String({ pattern: '^(?:true|false)$' })),
    from: Type.Optional(Type.String({ maxLength: 45, description: 'an address' })),
    via: Type.Optional(Type.String({ maxLength: 63, description: 'name of a listener' })),
  },
  { additionalProperties: false },
);

export const AccessChecked = Type.Object({
  format,
  allow: Type.Boolean(),
  identity: Type.String(),
  registered: Type.Boolean(),
  roles: Type.Array(Type.String()),
  listener: Type.String({ description: 'empty = none takes such an identity' }),
  because: Type.String(),
  rule: Type.String(),
  considered: Type.Array(
    Type.Object({
      rule: Type.String(),
      text: Type.String(),
      because: Type.String({ description: 'why it plays no part; empty = it does' }),
    }),
  ),
});

export const HoldersQuery = Type.Object({ topic }, { additionalProperties: false });

const held = Type.Union([Type.Literal('yes'), Type.Literal('some'), Type.Literal('no')], {
  description: '`some` = it depends on the message, the listener or the address',
});

export const AccessHolders = Type.Object({
  format,
  topic: Type.String(),
  holders: Type.Array(Type.Object({ identity: Type.String(), publish: held, receive: held })),
});

export type AccessQuery = Static<typeof AccessQuery>;
export type AccessChecked = Static<typeof AccessChecked>;
export type HoldersQuery = Static<typeof HoldersQuery>;
export type AccessHolders = Static<typeof AccessHolders>;
