// `tls.clientCa` and what a listener says of it: authorities of the operator's own whose certificates prove devices.

import Type from 'typebox';
import { choice, list, section, text } from '../setting.ts';
import { NAME_PATTERN, pemFile, provableNames } from './names.ts';

const ID_ALLOWED = 'letters, digits, dot, underscore, dash; at most 63';

export const ClientAuthorities = list(
  section(
    {
      id: text(NAME_PATTERN, ID_ALLOWED, {
        says: 'Its name here; the realm of what it proves is `ca:ID`.',
        breaks: 'Nothing.',
        applies: 'now',
      }),
      file: pemFile({
        says: 'Its CA certificates, roots and those between them and the devices; a path may have four certificates.',
        breaks: 'Each of them can prove whatever `names` allows.',
        applies: 'now',
      }),
      names: Type.Optional(provableNames('this authority')),
      roles: Type.Optional(
        list(
          text(NAME_PATTERN, 'the name of a role', { says: 'A role.', breaks: 'Its rights.', applies: 'now' }),
          undefined,
          {
            says: 'Roles of whomever it certifies; without it only devices that are registered are let in.',
            breaks: 'Every certificate that it issues is a way in.',
            applies: 'now',
          },
        ),
      ),
    },
    'An authority.',
  ),
  [],
  {
    says: 'Authorities whose client certificates are trusted where a listener names them in `clientCa`.',
    breaks: 'Each can prove names of its own realm.',
    applies: 'now',
  },
);

/** In a listener. */
export const TrustedHere = list(
  text(NAME_PATTERN, 'an `id` of tls.clientCa, or motte', {
    says: 'An authority.',
    breaks: 'Nothing.',
    applies: 'restart',
  }),
  ['motte'],
  {
    says: 'The authorities whose certificates are taken here: `motte` is its own, others stand in `tls.clientCa`.',
    breaks: 'Each is a way in.',
    applies: 'restart',
  },
);

const part = (what: string) =>
  text('^[ -~]{1,256}$', 'printable text of at most 256 characters', {
    says: `What stands ${what} the name in that part; a certificate without it is refused.`,
    breaks: 'Nothing.',
    applies: 'restart',
  });

/** In a listener. */
export const NameInCertificate = section(
  {
    from: Type.Optional(
      choice({
        values: ['cn', 'san-dns', 'san-uri', 'san-email', 'subject', 'fingerprint'],
        default: 'cn',
        says: 'The part of a certificate of `tls.clientCa` that is the name; `fingerprint` is the first 40 digits of its SHA-256. It must be there exactly once.',
        breaks: 'A part that devices choose themselves lets them choose who they are.',
        applies: 'restart',
      }),
    ),
    prefix: Type.Optional(part('before')),
    suffix: Type.Optional(part('after')),
  },
  'Where certificates of other authorities carry the name.',
);
