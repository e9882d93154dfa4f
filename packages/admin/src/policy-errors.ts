// The rows of the catalogue that policies have, 09xx; errors.ts holds the others and says what a row is.

import type { ErrorRow } from './errors.ts';

export const POLICY_ERRORS = {
  'MOT-0901': {
    what: 'cannot read the policy',
    when: 'The file cannot be opened, is larger than 1 MiB, or is not text in UTF-8.',
    remedy: 'check the path and its permissions; the policy in force can be had with `motte policy export FILE`',
    exit: 4,
  },
  'MOT-0902': {
    what: 'policy refused',
    when: 'The policy has a mistake; each is printed as FILE:LINE:COLUMN. The one in force stays as it is.',
    remedy: 'correct the lines named above; `motte policy check FILE` tries again',
    exit: 4,
    status: 422,
  },
} as const satisfies Record<string, ErrorRow>;
