// `identity.posture`: what is demanded of a client beyond the proof of who it is.

import Type from 'typebox';
import { choice, section } from '../setting.ts';

const POSTURE = 'Clients that come in a weaker way than this are refused, or flagged; `motte why` says which and why.';

export const Posture = section(
  {
    minTls: Type.Optional(
      oneOf(
        ['1.2', '1.3'],
        'The least version of TLS; without, what `tls.minVersion` lets in.',
        'Old versions of TLS.',
      ),
    ),
    minKeyBits: Type.Optional(
      Type.Integer({
        minimum: 2_048,
        maximum: 15_360,
        description:
          'The least size of the key of a client’s certificate, as RSA; P-256 counts as 3072, P-384 as 7680.',
        'x-breaks': 'Keys below it can be broken sooner.',
        'x-applies': 'restart',
        'x-unit': 'bits',
      }),
    ),
    minMqtt: Type.Optional(
      oneOf(
        ['3.1', '3.1.1', '5.0'],
        'The least version of MQTT; `versions` of a listener refuses others there before they prove anything.',
        'Old versions cannot tell a client why it was refused.',
      ),
    ),
    action: Type.Optional(
      choice({
        values: ['refuse', 'flag'],
        default: 'refuse',
        says: 'Whether such a client is refused, or let in and flagged.',
        breaks: 'With `flag` vulnerable clients are connected.',
        applies: 'restart',
      }),
    ),
  },
  POSTURE,
);

/** One of a few words, or none at all. */
function oneOf<const V extends string>(values: readonly V[], says: string, breaks: string) {
  const notes = { description: says, 'x-breaks': breaks, 'x-applies': 'restart' };
  return Type.Unsafe<V>(Type.String({ enum: [...values], ...notes }));
}
