// `waivers`, and `waiver` inside a listener: the written reason for a setting that is weaker than the default.

import Type, { type Static } from 'typebox';
import { section, text } from '../setting.ts';

export const WaiverObject = section(
  {
    reason: text('^.*\\S.*$', 'a sentence', {
      says: 'Why this is weaker than the default.',
      breaks: 'Nobody knows later why it was done.',
      applies: 'now',
    }),
    owner: Type.Optional(
      text('^.*\\S.*$', 'a name', {
        says: 'Who answers for it.',
        breaks: 'Nobody can be asked.',
        applies: 'now',
      }),
    ),
    until: Type.Optional(
      text('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', 'a day, YYYY-MM-DD', {
        says: 'The day after which it is a finding in `motte status`; the broker starts all the same.',
        breaks: 'What was meant for a week stays for years.',
        applies: 'now',
      }),
    ),
  },
  'A written waiver.',
);

/** An object, or a plain string as the reason. */
export const Waiver = Type.Union([Type.String({ minLength: 1, 'x-allowed': 'a reason' }), WaiverObject], {
  description: 'The written reason for what is weaker than the default here.',
  'x-applies': 'now',
  'x-breaks': 'Past `until` it is a finding in `motte status`, never a refusal to start.',
});
export type Waiver = Static<typeof Waiver>;

/** Keys of motte.yaml that may stand in `waivers`. */
export const WAIVER_KEYS = ['tls.minVersion', 'revocation.stale', 'revocation.unanswered'] as const;
export type WaiverKey = (typeof WAIVER_KEYS)[number];

export const Waivers = section(
  {
    'tls.minVersion': Type.Optional(Waiver),
    'revocation.stale': Type.Optional(Waiver),
    'revocation.unanswered': Type.Optional(Waiver),
  },
  'Written reasons for single keys that are weaker than the default; listeners carry their own.',
);
