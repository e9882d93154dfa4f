// `tls`: what TLS listeners present and accept.

import Type, { type Static } from 'typebox';
import { choice, later, section, text } from '../setting.ts';

const file = (says: string) =>
  text('^[^\\0]+$', 'the path of a PEM file; a relative one is taken from the directory of motte.yaml', {
    says,
    breaks: 'A key that others can read is everyone’s key.',
    applies: 'now',
  });

export const Tls = section(
  {
    minVersion: Type.Optional(
      choice({
        values: ['1.2', '1.3'],
        later: ['1.0', '1.1'],
        default: '1.2',
        says: 'The oldest TLS version that is spoken.',
        breaks: 'TLS 1.0 and 1.1 are broken.',
        applies: 'restart',
      }),
    ),
    certificate: Type.Optional(
      section(
        {
          cert: file('The server’s certificate and its issuing CAs.'),
          key: file('The private key of that certificate.'),
        },
        'A server certificate of your own instead of the one that the authority keeps fresh.',
      ),
    ),
    clientCa: later('Further authorities whose client certificates are trusted.'),
    crl: later('Revocation lists of those authorities.'),
  },
  'What TLS listeners present and accept.',
);
export type Tls = Static<typeof Tls>;
