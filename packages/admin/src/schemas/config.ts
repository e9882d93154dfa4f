// GET /api/v1/config: the configuration in force.

import Type, { type Static } from 'typebox';
import { format } from './parts.ts';

export const EffectiveConfig = Type.Object({
  format,
  number: Type.Integer({ description: 'raised by every reload' }),
  config: Type.Record(Type.String(), Type.Unknown()),
});

export type EffectiveConfig = Static<typeof EffectiveConfig>;
