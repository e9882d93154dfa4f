// `identity`: what proves an identity beside certificates, and what is demanded of a client beyond that.

import Type, { type Static } from 'typebox';
import { section } from '../setting.ts';
import { Posture } from './posture.ts';
import { Tokens } from './tokens.ts';

export const IdentitySection = section(
  {
    tokens: Type.Optional(Tokens),
    posture: Type.Optional(Posture),
  },
  'What proves an identity beside certificates, and what is demanded of a client beyond that.',
);
export type IdentitySection = Static<typeof IdentitySection>;
