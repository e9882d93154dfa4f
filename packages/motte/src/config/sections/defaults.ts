// `defaults`: the version whose defaults apply, so that an upgrade with stricter ones never stops a running plant.

import { choice } from '../setting.ts';

export const Defaults = choice({
  values: ['1'],
  default: '1',
  says: 'The version whose defaults apply; an upgrade keeps them.',
  breaks: 'Older defaults may be weaker than today’s.',
  applies: 'restart',
});
