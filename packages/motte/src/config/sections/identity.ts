// `identity`: what proves an identity beside certificates.

import Type, { type Static } from 'typebox';
import { section } from '../setting.ts';
import { Tokens } from './tokens.ts';

export const IdentitySection = section(
  {
    tokens: Type.Optional(Tokens),
  },
  'What proves an identity beside certificates.',
);
export type IdentitySection = Static<typeof IdentitySection>;
