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
  'MOT-0903': {
    what: 'a test of the policy failed',
    when: 'The policy was not applied: by its own tests it does not say what was meant. The one in force stays.',
    remedy: 'correct the rule or the test; `motte policy check FILE` runs the tests and changes nothing',
    exit: 1,
    status: 409,
  },
  'MOT-0904': {
    what: 'the policy has findings',
    when: 'It was to be applied with --strict, which takes none. The one in force stays.',
    remedy: '`motte policy check FILE` lists all of them; correct them, or apply it without --strict',
    exit: 1,
    status: 409,
  },
  'MOT-0905': {
    what: 'stored policy refused',
    when: 'store/policy.json cannot be read as what Motte wrote there, or this version refuses the policy in it.',
    remedy: 'restore it from a backup; without the file the built-in policy is in force',
    exit: 4,
  },
  'MOT-0906': {
    what: 'no such version of the policy',
    when: 'The built-in policy is version 0, and the latest hundred that were applied are kept.',
    remedy: 'list them with `motte policy show --versions`',
    exit: 1,
    status: 404,
  },
  'MOT-0907': {
    what: 'the question cannot be answered',
    when: 'Client, topic, filter or listener of `motte access` is not one, or the name is that of several identities.',
    remedy: 'write the identity as `motte who` shows it, NAME or NAME@REALM, and a topic as a client would send it',
    exit: 2,
    status: 400,
  },
  'MOT-0908': {
    what: 'the policy was not judged',
    when: 'Its rules and tests ask for more time or memory than one policy gets, several others wait to be judged, or the broker ends. The one in force stays.',
    remedy: 'try again; if it takes too long, make rules with `from` on one filter, or tests about them, fewer',
    exit: 1,
    status: 503,
  },
  'MOT-0910': {
    what: 'nobody to watch',
    when: 'The identity is not registered and has no session, or what was given does not name one, or is not watched.',
    remedy: 'write it as `motte who` shows it: NAME, or NAME@REALM; who is not registered has to connect first',
    exit: 1,
    status: 404,
  },
  'MOT-0911': {
    what: 'cannot watch now',
    when: 'The identity is watched already, or four are, which is as many as may be at once.',
    remedy: 'wait until a watch has ended, or end one: each ends with the command that began it',
    exit: 1,
    status: 409,
  },
} as const satisfies Record<string, ErrorRow>;
