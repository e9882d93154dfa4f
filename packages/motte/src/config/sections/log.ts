// `log`: what is written to standard output.

import Type, { type Static } from 'typebox';
import { choice, section } from '../setting.ts';

export const LogSection = section(
  {
    level: Type.Optional(
      choice({
        values: ['debug', 'info', 'warn', 'error', 'off'],
        default: 'info',
        weakerValues: ['error', 'off'],
        says: 'The lowest level that is written.',
        breaks: 'Above `warn`, refusals leave no trace in the log.',
        applies: 'now',
      }),
    ),
    shape: Type.Optional(
      choice({
        values: ['auto', 'json', 'text'],
        default: 'auto',
        says: 'JSON lines, lines for people, or whichever fits standard output.',
        breaks: 'Nothing.',
        applies: 'restart',
      }),
    ),
  },
  'What is written to standard output.',
);
export type LogSection = Static<typeof LogSection>;
