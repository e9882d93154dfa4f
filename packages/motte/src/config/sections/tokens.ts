// `identity.tokens`: whose tokens (JWT) prove an identity, and what they may say.

import Type, { type Static } from 'typebox';
import { choice, integer, list, map, section, text } from '../setting.ts';
import { NAME_PATTERN, pemFile, provableNames } from './names.ts';

const CLAIM = '^[!-~]{1,128}$';
const CLAIM_ALLOWED = 'the name of a claim, or a way such as realm_access.roles';

export const TokenSource = section(
  {
    issuer: text('^[!-~]{1,256}$', 'the issuer, exactly as in the claim `iss`', {
      says: 'Who signs; the realm of what it proves is `token:ISSUER`.',
      breaks: 'Whoever holds its key is anybody that `names` allows.',
      applies: 'now',
    }),
    audience: text('^[!-~]{1,256}$', 'a text that is in the claim `aud`', {
      says: 'Whom the tokens are for: this broker, and nothing else.',
      breaks: 'With an audience that others share, their tokens are good here.',
      applies: 'now',
    }),
    jwks: text(
      '^(https://[^/?#@\\s]+(/[^#@\\s]*)?|(?![A-Za-z][A-Za-z0-9+.-]*://)[^\\0]+)$',
      'https://HOST/PATH, or the path of a file; a relative one is taken from the directory of motte.yaml',
      {
        says: 'The public keys of the issuer as a JWK set; read again every ten minutes and when a token names a new key.',
        breaks: 'Whoever can change it can prove anything in the name of the issuer.',
        applies: 'now',
      },
    ),
    jwksCa: Type.Optional(
      pemFile({
        says: 'The CA of the server that `jwks` names, if none that Node trusts issued its certificate.',
        breaks: 'That CA can stand in for the issuer.',
        applies: 'now',
      }),
    ),
    algorithms: Type.Optional(
      list(
        Type.Unsafe<'ES256' | 'ES384' | 'EdDSA' | 'RS256' | 'PS256'>(
          Type.String({ enum: ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'] }),
        ),
        ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'],
        {
          says: 'Signatures that are taken; never one by a shared secret, never none.',
          breaks: 'Nothing: all of these are sound.',
          applies: 'now',
        },
      ),
    ),
    nameClaim: Type.Optional(
      text(CLAIM, CLAIM_ALLOWED, {
        default: 'sub',
        says: 'The claim that is the name.',
        breaks: 'A claim that people choose themselves lets them choose who they are.',
        applies: 'now',
      }),
    ),
    rolesClaim: Type.Optional(
      text(CLAIM, CLAIM_ALLOWED, {
        says: 'The claim whose values `roles` turns into roles: a list, or a text with spaces between.',
        breaks: 'A claim that people choose themselves lets them choose what they may do.',
        applies: 'now',
      }),
    ),
    roles: Type.Optional(
      map(
        { pattern: '^[!-~]{1,256}$', allowed: 'a value of that claim, or `*` for every token' },
        text(NAME_PATTERN, 'the name of a role', { says: 'The role.', breaks: 'Its rights.', applies: 'now' }),
        {
          says: 'Which value gives which role; whatever is not listed gives none.',
          breaks: 'The rights of these roles are the issuer’s to give.',
          applies: 'now',
        },
      ),
    ),
    names: Type.Optional(provableNames('this issuer')),
    kind: Type.Optional(
      choice({
        values: ['device', 'user'],
        default: 'device',
        says: 'Which of `${device}` and `${user}` in a rule is the name.',
        breaks: 'Nothing.',
        applies: 'now',
      }),
    ),
    clockSkewSeconds: Type.Optional(
      integer({
        default: 60,
        minimum: 0,
        maximum: 600,
        weaker: 'above',
        says: 'How far the clocks of issuer and broker may be apart.',
        breaks: 'Tokens live longer than they say by as much.',
        applies: 'now',
        unit: 'seconds',
      }),
    ),
  },
  'An issuer of tokens.',
);
export type TokenSource = Static<typeof TokenSource>;

export const Tokens = list(TokenSource, [], {
  says: 'Issuers whose tokens are taken where a listener has `authentication: token` or `any`.',
  breaks: 'Each can prove names and give the roles that it is listed with.',
  applies: 'now',
});
