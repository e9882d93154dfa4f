// `console`: where the admin API is served over TLS, on the loopback addresses only. `off` for nowhere.

import Type, { type Static } from 'typebox';
import { later, section, text } from '../setting.ts';

export const ConsoleObject = section(
  {
    url: text('^https://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:[0-9]{1,5})?/?$', 'https://localhost:PORT', {
      says: 'Listens on 127.0.0.1 and ::1 and answers to both names.',
      breaks: 'An address beyond this machine would put administration on the network.',
      applies: 'restart',
    }),
    clientCertificates: later('A second address for administrators with certificates.'),
  },
  'Where the admin API is served over TLS.',
);

export const Console = Type.Union([Type.String({ const: 'off', 'x-allowed': 'off' }), ConsoleObject], {
  description: 'Where the admin API is served over TLS; `off` for nowhere.',
  default: { url: 'https://localhost:8443' },
});
export type Console = Static<typeof Console>;
