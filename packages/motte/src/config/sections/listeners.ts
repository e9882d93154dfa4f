// `listeners`: where the broker accepts connections and how a peer proves who it is there.

import Type, { type Static } from 'typebox';
import { choice, integer, later, list, section, text } from '../setting.ts';
import { NameInCertificate, TrustedHere } from './client-ca.ts';
import { Waiver } from './waivers.ts';

export const PLAIN_SCHEMES: ReadonlySet<string> = new Set(['mqtt', 'ws', 'mqtt+unix']);

const URL_ALLOWED = 'SCHEME://ADDRESS:PORT with one of mqtts wss mqtt ws, or mqtt+unix:///PATH';

export const Listener = section(
  {
    name: text('^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$', 'letters, digits, dot, underscore, dash; at most 63', {
      says: 'The name in logs, refusals and `via` conditions; unique.',
      breaks: 'Nothing.',
      applies: 'restart',
    }),
    url: text('^(mqtts|wss|mqtt|ws)://[^/?#@\\s]+(/[^?#\\s]*)?$|^mqtt\\+unix:///[^?#\\s]+$', URL_ALLOWED, {
      says: 'Scheme, address and port; port 0 is any free one; a path for WebSocket and Unix sockets.',
      breaks: 'A plain scheme lets everyone on the way read and change messages; it needs a waiver.',
      applies: 'restart',
    }),
    authentication: Type.Optional(
      choice({
        values: ['certificate', 'password', 'token', 'scram', 'psk', 'any', 'none'],
        default: 'certificate',
        weakerValues: ['none'],
        says: 'How a peer proves who it is.',
        breaks: 'With `none` everyone who reaches the port is in; it needs a waiver.',
        applies: 'restart',
      }),
    ),
    role: Type.Optional(
      text('^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$', 'the name of a role', {
        says: 'A role that everyone on this listener has; needs a waiver.',
        breaks: 'Rights that belong to nobody in particular.',
        applies: 'restart',
      }),
    ),
    clientIds: Type.Optional(
      choice({
        values: ['own', 'any'],
        default: 'own',
        weakerValues: ['any'],
        says: 'With `own` a client id is the name of the identity, or NAME/anything.',
        breaks: 'With `any` a client id no longer tells which device it is.',
        applies: 'restart',
      }),
    ),
    versions: Type.Optional(
      list(
        Type.Unsafe<'3.1' | '3.1.1' | '5.0'>(Type.String({ enum: ['3.1', '3.1.1', '5.0'] })),
        ['3.1', '3.1.1', '5.0'],
        {
          says: 'MQTT versions that are spoken here.',
          breaks: 'Old versions cannot tell a client why it was refused.',
          applies: 'restart',
        },
      ),
    ),
    maxConnections: Type.Optional(
      integer({
        default: 20_000,
        minimum: 1,
        maximum: 1_000_000,
        weaker: 'above',
        says: 'Connections at once on this listener.',
        breaks: 'More connections than memory and file descriptors allow.',
        applies: 'restart',
        unit: 'connections',
      }),
    ),
    origins: Type.Optional(
      list(
        Type.String({ pattern: '^https?://[^/?#@\\s]+$', 'x-allowed': 'an origin such as https://panel.example' }),
        [],
        {
          says: 'Origins that may open a WebSocket here, as pages have; Paho for C and Python give that of the listener, `https://HOST:PORT`.',
          breaks: 'A page of someone else may use the certificate in a visitor’s browser.',
          applies: 'restart',
          widens: true,
        },
      ),
    ),
    alpn: Type.Optional(
      text('^[!-~]{1,63}$', 'a protocol name of 1 to 63 printable characters', {
        says: 'A second protocol name that clients of an mqtts listener may ask for by ALPN, beside `mqtt`.',
        breaks: 'Clients of another protocol that has this name are not turned away.',
        applies: 'restart',
      }),
    ),
    onExpiry: Type.Optional(
      choice({
        values: ['end', 'warn'],
        default: 'end',
        weakerValues: ['warn'],
        says: 'What happens to a connection when the certificate or token that proved it ends; `warn` lets it stay and says so.',
        breaks: 'With `warn` a device is in for as long as it stays connected; it needs a waiver.',
        applies: 'restart',
      }),
    ),
    clientCa: Type.Optional(TrustedHere),
    identity: Type.Optional(NameInCertificate),
    waiver: Type.Optional(Waiver),
    require: later('What every message here must be, such as `sealed`.'),
    proxyProtocol: later('Proxies that may state the address of a peer.'),
  },
  'A listener.',
);

export type Listener = Static<typeof Listener>;

export const Listeners = list(Listener, [{ name: 'devices', url: 'mqtts://0.0.0.0:8883' }], {
  says: 'Where the broker accepts connections; `[]` for none.',
  breaks: 'Every listener is a door.',
  applies: 'restart',
});
