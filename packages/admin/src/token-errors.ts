// 0650 to 0659: issuers of tokens, and tokens that are taken no more.

import type { ErrorRow } from './errors.ts';

export const TOKEN_ERRORS = {
  'MOT-0650': {
    what: 'not an issuer of tokens',
    when: 'What was given is no entry of `identity.tokens`.',
    remedy: 'docs/reference/configuration.md says what each key of identity.tokens takes',
    exit: 2,
    status: 400,
  },
  'MOT-0651': {
    what: 'the issuer is known already',
    when: 'It stands in motte.yaml or was added before.',
    remedy: 'see `motte token list`; to change it, remove it with `motte token revoke ISSUER --all` and add it anew',
    exit: 1,
    status: 409,
  },
  'MOT-0652': {
    what: 'no such issuer',
    when: 'Neither motte.yaml nor `motte token add` names it; it is compared letter by letter.',
    remedy: 'see `motte token list`',
    exit: 1,
    status: 404,
  },
  'MOT-0653': {
    what: 'the issuer stands in motte.yaml',
    when: 'Commands do not change that file.',
    remedy: 'take it out of identity.tokens there, and send the broker SIGHUP',
    exit: 1,
    status: 409,
  },
  'MOT-0654': {
    what: 'no room for more',
    when: 'As many issuers or revocations are recorded as there may be.',
    remedy:
      'lift revocations that are not needed any more (`--lift`), or take the issuer away with `--all`; see `motte token list`',
    exit: 1,
    status: 409,
  },
  'MOT-0655': {
    what: 'the record of issuers and revoked tokens refused',
    when: 'store/tokens.json cannot be read as what Motte wrote there.',
    remedy: 'restore it from a backup; nothing was changed',
    exit: 4,
  },
  'MOT-0656': {
    what: 'nothing to lift',
    when: 'That was not revoked, or it is over.',
    remedy: 'see `motte token list`',
    exit: 1,
    status: 404,
  },
} as const satisfies Record<string, ErrorRow>;
