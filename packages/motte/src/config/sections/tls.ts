// `tls`: what TLS listeners present and accept.

import Type, { type Static } from 'typebox';
import { choice, integer, list, section, text } from '../setting.ts';
import { ClientAuthorities } from './client-ca.ts';
import { OcspResponders, RevocationLists } from './revocation.ts';

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
    certificates: Type.Optional(
      list(
        section(
          {
            cert: file('The server’s certificate and its issuing CAs.'),
            key: file('The private key of that certificate.'),
            names: Type.Optional(
              Type.Array(
                Type.String({
                  pattern: '^(\\*\\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$',
                  'x-allowed': 'a host name, or *.NAME for one label before it',
                }),
                {
                  maxItems: 64,
                  description: 'Host names that it is shown for; without, those that the certificate states.',
                  'x-breaks': 'Nothing.',
                  'x-applies': 'now',
                },
              ),
            ),
          },
          'A server certificate beside the default one.',
        ),
        [],
        {
          says: 'Further server certificates, each shown to clients that ask for its names (SNI).',
          breaks: 'A key that others can read is everyone’s key.',
          applies: 'now',
        },
      ),
    ),
    rsa: Type.Optional(
      choice({
        values: ['off', '2048', '3072'],
        default: 'off',
        says: 'Bits of an RSA key for a second certificate of the authority, shown to clients that cannot use elliptic curves.',
        breaks: 'Nothing; a handshake with it costs more.',
        applies: 'now',
      }),
    ),
    staple: Type.Optional(
      choice({
        values: ['off', 'on'],
        default: 'off',
        says: 'Whether what the responder of a certificate in `certificate` or `certificates` says of it is fetched and shown to clients that ask for it (OCSP stapling).',
        breaks: 'Nothing; the broker asks the responder that the certificate names.',
        applies: 'now',
      }),
    ),
    ticketSeconds: Type.Optional(
      integer({
        default: 3_600,
        minimum: 60,
        maximum: 86_400,
        weaker: 'above',
        says: 'How long a session ticket spares a client the full handshake; whom it stands for is proven again all the same.',
        breaks: 'Whoever gets hold of a ticket key reads what was sent under it for longer.',
        applies: 'restart',
        unit: 'seconds',
      }),
    ),
    clientCa: Type.Optional(ClientAuthorities),
    crl: Type.Optional(RevocationLists),
    ocsp: Type.Optional(OcspResponders),
  },
  'What TLS listeners present and accept.',
);
export type Tls = Static<typeof Tls>;
