// `admission`: who is talked to at all, before TLS.

import Type, { type Static } from 'typebox';
import { integer, list, section } from '../setting.ts';

export const Admission = section(
  {
    handshakesAtOnceMax: Type.Optional(
      integer({
        default: 256,
        minimum: 1,
        maximum: 100_000,
        weaker: 'above',
        says: 'TLS handshakes under way at once, over all sources.',
        breaks: 'A storm of handshakes takes the processor from clients that are in.',
        applies: 'restart',
        unit: 'handshakes',
      }),
    ),
    connectionsPerSourceMax: Type.Optional(
      integer({
        default: 1_000,
        minimum: 1,
        maximum: 1_000_000,
        weaker: 'above',
        says: 'Connections at once from one address.',
        breaks: 'One source can take every connection there is.',
        applies: 'restart',
        unit: 'connections',
      }),
    ),
    waitingMax: Type.Optional(
      integer({
        default: 8_192,
        minimum: 1,
        maximum: 1_000_000,
        weaker: 'above',
        says: 'Accepted connections that wait to be let in, over all listeners; the next one is reset.',
        breaks: 'A storm of connections holds more files and memory.',
        applies: 'restart',
        unit: 'connections',
      }),
    ),
    lagMsMax: Type.Optional(
      integer({
        default: 200,
        minimum: 1,
        maximum: 60_000,
        weaker: 'above',
        says: 'Lateness of the event loop above which new connections are let in slowly.',
        breaks: 'Clients that are in wait longer while others come.',
        applies: 'restart',
        unit: 'ms',
      }),
    ),
    exempt: Type.Optional(
      list(
        Type.String({
          pattern: '^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$',
          'x-allowed': 'an address or a network such as 10.1.0.0/16',
        }),
        ['127.0.0.0/8', '::1/128'],
        {
          says: 'Sources without a budget.',
          breaks: 'These sources can do what admission is there to stop.',
          applies: 'restart',
          widens: true,
        },
      ),
    ),
  },
  'Who is talked to at all.',
);
export type Admission = Static<typeof Admission>;
