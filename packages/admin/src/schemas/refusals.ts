// GET /api/v1/refusals: who was refused, by which layer and rule, and what to do about it.

import Type, { type Static } from 'typebox';
import { format, time } from './parts.ts';

export const Refusal = Type.Object({
  id: Type.String(),
  first: time,
  at: time,
  count: Type.Integer({ description: 'equal refusals of one source share a row' }),
  layer: Type.String(),
  reason: Type.String(),
  code: Type.Integer({ description: 'MQTT 5.0 reason code' }),
  because: Type.String(),
  rule: Type.String(),
  seen: Type.String({ description: 'what the peer saw of it' }),
  connection: Type.Integer(),
  listener: Type.String(),
  address: Type.String(),
  identity: Type.String(),
  clientId: Type.String(),
  packet: Type.String(),
  topic: Type.String(),
  advice: Type.String(),
  text: Type.String({ description: 'all of it as lines for a terminal' }),
});

export const Refusals = Type.Object({ format, refusals: Type.Array(Refusal) });

export const RefusalQuery = Type.Object(
  {
    query: Type.Optional(Type.String({ minLength: 1, maxLength: 1024 })),
    max: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$' })),
  },
  { additionalProperties: false },
);

export type Refusal = Static<typeof Refusal>;
export type Refusals = Static<typeof Refusals>;
export type RefusalQuery = Static<typeof RefusalQuery>;
