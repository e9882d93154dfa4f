// `identity`: what proves an identity beside certificates, what is demanded of a client beyond that, and what is left of one
// that is taken away.

import Type, { type Static } from 'typebox';
import { section, text } from '../setting.ts';
import { Posture } from './posture.ts';
import { Tokens } from './tokens.ts';

export const IdentitySection = section(
  {
    tokens: Type.Optional(Tokens),
    posture: Type.Optional(Posture),
    onRevoke: Type.Optional(
      text('^(keep|clear|publish [^\\s\\0].*)$', 'keep, clear, or publish TOPIC', {
        says: 'What becomes of the retained messages of an identity that is taken away, of whatever kind; with `publish TOPIC` they stay, and one that says that a device is gone is retained there, `${device}` for its name; absent, they are kept.',
        breaks: 'What a device that is trusted no longer said last is still told to everybody who subscribes.',
        applies: 'restart',
      }),
    ),
  },
  'What proves an identity beside certificates, what is demanded of a client, and what is left of one that is taken away.',
);
export type IdentitySection = Static<typeof IdentitySection>;
