// `enrol`: where devices enrol themselves. `off` for nowhere.

import Type, { type Static } from 'typebox';
import { choice, section, text } from '../setting.ts';

export const EnrolObject = section(
  {
    url: text('^https://[^/?#@\\s]+/?$', 'https://ADDRESS:PORT', {
      says: 'Address and port; open only while a token, a join window, a request or a renewal is, or with `est: on`.',
      breaks: 'Whoever reaches it while it is open may try tokens, a few at a time.',
      applies: 'restart',
    }),
    est: Type.Optional(
      choice({
        values: ['off', 'on'],
        default: 'off',
        says: 'With `on` it is always open, for devices that enrol and renew by EST at times of their own.',
        breaks: 'One more port that is always open.',
        applies: 'restart',
      }),
    ),
  },
  'Where devices enrol themselves and renew.',
);

export const Enrol = Type.Union([Type.String({ const: 'off', 'x-allowed': 'off' }), EnrolObject], {
  description: 'Where devices enrol themselves and renew; open only while it is needed. `off` for nowhere.',
  default: { url: 'https://0.0.0.0:8446' },
});
export type Enrol = Static<typeof Enrol>;
