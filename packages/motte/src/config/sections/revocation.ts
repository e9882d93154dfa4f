// `tls.crl`, `tls.ocsp` and `revocation`: how the broker learns what other authorities have revoked, and what holds while it
// cannot know.

import Type from 'typebox';
import { choice, integer, list, section, text } from '../setting.ts';
import { NAME_PATTERN, pemFile } from './names.ts';

const authority = text(NAME_PATTERN, 'an `id` of tls.clientCa', {
  says: 'The authority in `tls.clientCa`.',
  breaks: 'Nothing.',
  applies: 'now',
});

const address = (says: string) =>
  text('^https?://[^/?#@\\s]+(/[^#@\\s]*)?$', 'http://HOST/PATH or https://HOST/PATH', {
    says,
    breaks: 'The broker speaks with whoever answers there; what is not signed by the CA is not believed.',
    applies: 'now',
  });

const serverCa = pemFile({
  says: 'The CA of the server behind an https `url`, if none that Node trusts issued its certificate.',
  breaks: 'Nothing: what is read is signed.',
  applies: 'now',
});

const refreshMinutes = (says: string) =>
  integer({
    default: 60,
    minimum: 1,
    maximum: 10_080,
    weaker: 'above',
    says,
    breaks: 'What was revoked meanwhile is learned of later.',
    applies: 'now',
    unit: 'minutes',
  });

export const RevocationLists = list(
  section(
    {
      ca: authority,
      file: Type.Optional(
        text('^[^\\0]+$', 'the path of a list, PEM or DER; a relative one is taken from the directory of motte.yaml', {
          says: 'A file with its revocation list, or those of several of its CAs in PEM; followed while it changes.',
          breaks: 'Nothing: only what the CA signed is believed.',
          applies: 'now',
        }),
      ),
      url: Type.Optional(address('Where the list is fetched from; no answer leads to another address.')),
      serverCa: Type.Optional(serverCa),
      refreshMinutes: Type.Optional(refreshMinutes('How often it is fetched, and earlier where its end is near.')),
    },
    'A revocation list.',
  ),
  [],
  {
    says: 'Revocation lists of the authorities in `tls.clientCa`, each a `file` or a `url`; with one, every CA of that authority that certifies devices needs one.',
    breaks: 'Without, what such an authority has revoked is not known here.',
    applies: 'now',
  },
);

export const OcspResponders = list(
  section(
    {
      ca: authority,
      url: Type.Optional(address('The responder that is asked about each of its certificates.')),
      hosts: Type.Optional(
        list(
          text('^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[1-9][0-9]{0,4})?$', 'a host name, or HOST:PORT', {
            says: 'A host.',
            breaks: 'Certificates can have the broker ask there.',
            applies: 'now',
          }),
          undefined,
          {
            says: 'Instead of `url`: the responder that a certificate names is asked if its host stands here.',
            breaks: 'Certificates can have the broker ask there.',
            applies: 'now',
          },
        ),
      ),
      serverCa: Type.Optional(serverCa),
      refreshMinutes: Type.Optional(
        refreshMinutes('How often a certificate that is in use is asked about, and earlier where an answer ends.'),
      ),
    },
    'A responder.',
  ),
  [],
  {
    says: 'Authorities in `tls.clientCa` whose responder (OCSP) is asked about a certificate before it is let in.',
    breaks: 'Without, what such an authority has revoked is not known here.',
    applies: 'now',
  },
);

export const Revocation = section(
  {
    stale: Type.Optional(
      choice({
        values: ['refuse-new', 'accept'],
        default: 'refuse-new',
        weakerValues: ['accept'],
        says: 'What holds for new connections while a list of `tls.crl` is missing or has ended; those that are open stay.',
        breaks: 'With `accept` a device comes in that was revoked since the last list; it needs a waiver.',
        applies: 'now',
      }),
    ),
    unanswered: Type.Optional(
      choice({
        values: ['refuse', 'accept'],
        default: 'refuse',
        weakerValues: ['accept'],
        says: 'What holds for new connections while a responder of `tls.ocsp` gives no answer that can be believed.',
        breaks: 'With `accept` whoever keeps the answer away lets revoked devices in; it needs a waiver.',
        applies: 'now',
      }),
    ),
  },
  'What holds while it is not known whether a certificate was revoked.',
);
