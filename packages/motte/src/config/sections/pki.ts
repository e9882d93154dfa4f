// `pki`: which authority the broker uses. Without it one of its own, a child process of the same user.

import Type, { type Static } from 'typebox';
import { section, text } from '../setting.ts';

export const Pki = section(
  {
    socket: Type.Optional(
      text('^[^\\0]+\\.sock$', 'the path of the `broker.sock` of `motte authority --sockets DIR`', {
        says: 'The authority that a service manager runs as another user; without it the broker starts one of its own.',
        breaks: 'Without it the CA keys belong to the user that the broker runs as.',
        applies: 'restart',
      }),
    ),
  },
  'Which authority the broker uses.',
);
export type Pki = Static<typeof Pki>;
