// Tokens (JWT) as attackers send them: no signature, a signature by what is no secret, another issuer's, another audience's,
// without end, past it, before it, too large, with names of the language for claims. What is refused never
// shows the token.

import { beforeAll, describe, expect, it } from 'vitest';
import { KeySet } from '../../packages/broker/src/identity/key-set.ts';
import { createTokenProof } from '../../packages/broker/src/identity/token.ts';
import type { TokenIssuer } from '../../packages/broker/src/identity/token-issuers.ts';
import type { ListenerFacts } from '../../packages/broker/src/ports/connection-facts.ts';
import type { Authentication, Evidence } from '../../packages/broker/src/ports/guards.ts';
import { choiceKey, type TokenChoice, type TokenRevocation } from '../../packages/broker/src/ports/token-desk.ts';
import { type Algorithm, encode, hmacToken, keySetOf, TestIssuer } from '../fixtures/tokens.ts';

const ISSUER = 'https://login.plant.example';
const AUDIENCE = 'motte';
const NOW_MS = 1_900_000_000_000;
const NOW = NOW_MS / 1000;
const CLAIMS = { iss: ISSUER, aud: AUDIENCE, sub: 'pump-1', exp: NOW + 3600, iat: NOW, jti: 't-1' };

let signer: TestIssuer;
let other: TestIssuer;
beforeAll(() => {
  signer = new TestIssuer();
  other = new TestIssuer();
});

interface Scene {
  readonly ask: (
    token: string | undefined,
    fields?: Partial<Evidence>,
    authentication?: string,
  ) => Promise<Authentication | undefined>;
  readonly method: (data: Uint8Array | undefined, fields?: Partial<Evidence>) => Promise<Authentication>;
  readonly revocations: Map<string, TokenRevocation>;
}

async function scene(issuer: Partial<TokenIssuer> = {}, text = keySetOf(signer.jwk)): Promise<Scene> {
  const keys = new KeySet({ read: async () => text, monotonicMs: () => 0 });
  await keys.refresh();
  const revocations = new Map<string, TokenRevocation>();
  const whole: TokenIssuer = {
    issuer: ISSUER,
    audience: AUDIENCE,
    algorithms: ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'],
    keys,
    nameClaim: 'sub',
    rolesClaim: 'roles',
    roles: new Map([
      ['line-workers', 'operator'],
      ['*', 'device'],
    ]),
    names: undefined,
    kind: 'device',
    clockSkewMs: 60_000,
    ...issuer,
  };
  const proof = createTokenProof({
    facts: { issuers: new Map([[whole.issuer, whole]]), revocations },
    directory: { find: () => undefined },
    nowMs: () => NOW_MS,
  });
  return {
    ask: async (token, fields = {}, authentication = 'token') =>
      proof.proof(evidence(token === undefined ? undefined : Buffer.from(token), fields, authentication)),
    method: async (data, fields = {}) =>
      proof.method[1]({ ...evidence(undefined, fields, 'token'), method: 'JWT', data }, undefined),
    revocations,
  };
}

function evidence(password: Uint8Array | undefined, fields: Partial<Evidence>, authentication: string): Evidence {
  const listener = { name: 'panel', scheme: 'mqtts', authentication, role: undefined, clientIds: 'own', versions: [5] };
  const facts = { id: 1, listener: listener as ListenerFacts, address: '', port: 0, tls: undefined, openedAtMs: 0 };
  return { facts, clientId: '', userName: undefined, password, method: undefined, data: undefined, ...fields };
}

describe('a good token', () => {
  it.each<[Algorithm]>([['ES256'], ['ES384'], ['EdDSA'], ['RS256'], ['PS256']])(
    'of %s proves the name until it ends',
    async (algorithm) => {
      const issuer = new TestIssuer(algorithm);
      const { ask } = await scene({}, keySetOf(issuer.jwk));
      expect(await ask(issuer.token({ ...CLAIMS, roles: ['line-workers', 'payroll'] }))).toEqual({
        allow: true,
        identity: { realm: `token:${ISSUER}`, name: 'pump-1', kind: 'device', roles: ['device', 'operator'] },
        data: undefined,
        // What the clocks may be apart is added: a token taken at its last moment is not ended at once.
        expiresAtMs: NOW_MS + 3_660_000,
        token: 't-1',
      });
    },
  );

  it('comes as the data of the method JWT as well', async () => {
    const { method } = await scene();
    expect(await method(Buffer.from(signer.token(CLAIMS)))).toMatchObject({
      allow: true,
      identity: { name: 'pump-1' },
    });
    expect(await method(undefined)).toMatchObject({ because: expect.stringContaining('no token came') });
  });

  it('leaves out the user name, or has it as its own', async () => {
    const { ask } = await scene();
    expect(await ask(signer.token(CLAIMS), { userName: 'pump-1' })).toMatchObject({ allow: true });
    expect(await ask(signer.token(CLAIMS), { userName: '' })).toMatchObject({ allow: true });
    expect(await ask(signer.token(CLAIMS), { userName: 'pump-2' })).toMatchObject({
      because: 'the user name is "pump-2", the token is pump-1\'s',
    });
  });

  it('has its roles in a text with spaces, or behind several names', async () => {
    const scoped = await scene({ rolesClaim: 'scope' });
    expect(await scoped.ask(signer.token({ ...CLAIMS, scope: 'openid line-workers' }))).toMatchObject({
      identity: { roles: ['device', 'operator'] },
    });
    const nested = await scene({ rolesClaim: 'realm_access.roles', roles: new Map([['a', 'operator']]) });
    expect(await nested.ask(signer.token({ ...CLAIMS, realm_access: { roles: ['a', '*'] } }))).toMatchObject({
      identity: { roles: ['operator'] },
    });
  });

  it('that gives no role that is mapped has none', async () => {
    const { ask } = await scene({ roles: new Map([['a', 'operator']]) });
    for (const roles of [['operator'], 'operator', [], undefined, ['*'], ['__proto__', 'constructor']]) {
      expect(await ask(signer.token({ ...CLAIMS, roles }))).toMatchObject({ allow: true, identity: { roles: [] } });
    }
  });
});

describe('refused', () => {
  const without = (name: string) => ({ ...CLAIMS, [name]: undefined });
  it.each<[string, () => string, string]>([
    ['nothing', () => '', 'not a signed token'],
    ['a password', () => 'hunter2', 'not a signed token'],
    [
      'alg none without a signature',
      () => `${encode('{"alg":"none"}')}.${encode(JSON.stringify(CLAIMS))}.`,
      'not a signed token',
    ],
    [
      'alg none with the signature kept',
      () => signer.token(CLAIMS, { header: { alg: 'none', kid: 'key-1' } }),
      'signed with "none"',
    ],
    ['alg None', () => signer.token(CLAIMS, { header: { alg: 'None', kid: 'key-1' } }), 'signed with "None"'],
    [
      'HS256 with the public key, PEM, for a secret',
      () => hmacToken(CLAIMS, signer.publicKey.export({ type: 'spki', format: 'pem' }), 'key-1'),
      'signed with "HS256"',
    ],
    [
      'HS256 with the public key, DER, for a secret',
      () => hmacToken(CLAIMS, signer.publicKey.export({ type: 'spki', format: 'der' }), 'key-1'),
      'signed with "HS256"',
    ],
    [
      'another alg than the key is for',
      () => signer.token(CLAIMS, { header: { alg: 'RS256', kid: 'key-1' } }),
      'names the key "key-1" for RS256',
    ],
    ['no alg', () => signer.token(CLAIMS, { header: { kid: 'key-1' } }), 'not a signed token'],
    [
      'a key of its own in the header',
      () => other.token(CLAIMS, { header: { alg: 'ES256', jwk: other.jwk, kid: 'key-1' } }),
      'signature of the token is wrong',
    ],
    [
      'an address of keys in the header',
      () => other.token(CLAIMS, { header: { alg: 'ES256', jku: 'https://127.0.0.1/', kid: 'x' } }),
      'names the key "x"',
    ],
    [
      'an extension that must be understood',
      () => signer.token(CLAIMS, { header: { alg: 'ES256', kid: 'key-1', crit: ['b64'], b64: false } }),
      'not a signed token',
    ],
    ['another key under the same id', () => other.token(CLAIMS), 'signature of the token is wrong'],
    [
      'claims changed after they were signed',
      () => swapClaims(signer.token(CLAIMS), { ...CLAIMS, sub: 'pump-2' }),
      'signature of the token is wrong',
    ],
    ['another issuer', () => signer.token({ ...CLAIMS, iss: 'https://evil.example' }), 'is not in identity.tokens'],
    ['no issuer', () => signer.token(without('iss')), 'is not in identity.tokens'],
    ['a list of issuers', () => signer.token({ ...CLAIMS, iss: [ISSUER] }), 'is not in identity.tokens'],
    ['another audience', () => signer.token({ ...CLAIMS, aud: 'payroll' }), 'another audience than motte'],
    ['no audience', () => signer.token(without('aud')), 'another audience than motte'],
    ['no end', () => signer.token(without('exp')), 'has no end (exp)'],
    ['an end that is a text', () => signer.token({ ...CLAIMS, exp: `${NOW + 60}` }), 'exp'],
    ['an end beyond all time', () => signer.token({ ...CLAIMS, exp: 1e300 }), 'the end of the token (exp) is no time'],
    ['expired', () => signer.token({ ...CLAIMS, exp: NOW - 61 }), 'the token has expired'],
    ['not yet valid', () => signer.token({ ...CLAIMS, nbf: NOW + 61 }), 'not yet valid (nbf)'],
    ['made in the future', () => signer.token({ ...CLAIMS, iat: NOW + 61 }), 'made in the future (iat)'],
    ['no name', () => signer.token(without('sub')), 'has no claim sub with a name'],
    ['a name that is a number', () => signer.token({ ...CLAIMS, sub: 7 }), 'has no claim sub with a name'],
    ['a wildcard for a name', () => signer.token({ ...CLAIMS, sub: '+' }), 'which is no name here'],
    ['several levels for a name', () => signer.token({ ...CLAIMS, sub: 'pump-1/a' }), 'which is no name here'],
    ['a NUL in the name', () => signer.token({ ...CLAIMS, sub: 'pump-1\0' }), 'which is no name here'],
    ['a line break in the name', () => signer.token({ ...CLAIMS, sub: 'pump-1\n' }), 'which is no name here'],
    ['a name of 64', () => signer.token({ ...CLAIMS, sub: 'x'.repeat(64) }), 'which is no name here'],
    ['an identifier that is a list', () => signer.token({ ...CLAIMS, jti: ['t-1'] }), 'identifier of the token (jti)'],
    ['a long identifier', () => signer.token({ ...CLAIMS, jti: 'x'.repeat(257) }), 'identifier of the token (jti)'],
    ['more roles than there can be', () => signer.token({ ...CLAIMS, roles: Array(65).fill('a') }), 'claim roles'],
    ['roles that are no texts', () => signer.token({ ...CLAIMS, roles: [{ a: 1 }] }), 'lists what is no role'],
    ['roles that are an object', () => signer.token({ ...CLAIMS, roles: { a: 1 } }), 'claim roles'],
    [
      'hundreds of claims',
      () => signer.token({ ...CLAIMS, ...Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`c${i}`, i])) }),
      'more than 100 claims',
    ],
    ['more than 8 KiB', () => signer.token({ ...CLAIMS, filler: 'x'.repeat(8192) }), 'larger than 8192 bytes'],
    [
      'claims nested without end',
      () => signer.token(`{"sub":${'['.repeat(2500)}${']'.repeat(2500)}}`),
      'is not in identity.tokens',
    ],
    [
      'a key id as long as a token',
      () => signer.token(CLAIMS, { header: { alg: 'ES256', kid: 'k'.repeat(257) } }),
      'not a signed token',
    ],
  ])('%s', async (_what, token, because) => {
    const { ask } = await scene();
    const text = token();
    const outcome = await ask(text);
    expect(outcome).toMatchObject({
      allow: false,
      reason: 'not-authorized',
      because: expect.stringContaining(because),
    });
    if (text.length > 40) expect(JSON.stringify(outcome)).not.toContain(text.slice(-40));
  });

  it('a token one second on the good side of each bound is taken', async () => {
    const { ask } = await scene();
    expect(await ask(signer.token({ ...CLAIMS, exp: NOW - 59 }))).toMatchObject({ allow: true });
    expect(await ask(signer.token({ ...CLAIMS, nbf: NOW + 59 }))).toMatchObject({ allow: true });
    expect(await ask(signer.token({ ...CLAIMS, iat: NOW + 59 }))).toMatchObject({ allow: true });
  });

  it('an algorithm that this issuer does not use', async () => {
    const { ask } = await scene({ algorithms: ['RS256'] });
    expect(await ask(signer.token(CLAIMS))).toMatchObject({
      because: expect.stringContaining('its issuer may use RS256'),
    });
  });

  it('a name that this issuer may not prove', async () => {
    const { ask } = await scene({ names: ['pump-2', 'line-2-*'] });
    expect(await ask(signer.token(CLAIMS))).toMatchObject({ rule: 'identity.tokens.names' });
    expect(await ask(signer.token({ ...CLAIMS, sub: 'pump-2' }))).toMatchObject({ allow: true });
    expect(await ask(signer.token({ ...CLAIMS, sub: 'line-2-a' }))).toMatchObject({ allow: true });
    for (const sub of ['pump-22', 'line-2', 'line-3-a', 'xline-2-a']) {
      expect(await ask(signer.token({ ...CLAIMS, sub }))).toMatchObject({ allow: false });
    }
  });
});

describe('claims with the names of the language', () => {
  it('are claims, and change nothing', async () => {
    const { ask } = await scene({ rolesClaim: 'roles', roles: new Map([['a', 'operator']]) });
    const nasty = JSON.stringify({ ...CLAIMS, constructor: { prototype: { roles: ['a'] } } }).replace(
      '{',
      '{"__proto__":{"roles":["a"],"sub":"admin","allow":true},',
    );
    expect(await ask(signer.token(nasty))).toMatchObject({ identity: { name: 'pump-1', roles: [] } });
    expect(({} as Record<string, unknown>)['roles']).toBeUndefined();
    const noName = JSON.stringify({ ...CLAIMS, sub: undefined }).replace('{', '{"__proto__":{"sub":"admin"},');
    expect(await ask(signer.token(noName))).toMatchObject({ because: expect.stringContaining('has no claim sub') });
    for (const nameClaim of ['constructor.name', 'toString', 'sub.length', '__proto__.sub']) {
      const odd = await scene({ nameClaim });
      expect(await odd.ask(signer.token(CLAIMS))).toMatchObject({ allow: false });
    }
  });

  it('and one that is called like a verdict is not one', async () => {
    const { ask } = await scene();
    const identity = { realm: 'ca:motte', name: 'admin', kind: 'user', roles: ['operator'] };
    const outcome = await ask(signer.token({ ...CLAIMS, allow: true, identity, expiresAtMs: 0 }));
    expect(outcome).toMatchObject({ identity: { realm: `token:${ISSUER}`, name: 'pump-1', roles: ['device'] } });
  });
});

describe('a token that was revoked', () => {
  it('is refused by its identifier, or by the name it proves, as long as that stands', async () => {
    const { ask, revocations } = await scene();
    const revoke = (choice: TokenChoice, untilMs = 0) => {
      revocations.clear();
      revocations.set(choiceKey(choice), { ...choice, revokedAtMs: 0, untilMs });
    };
    revoke({ issuer: ISSUER, id: 't-1' });
    expect(await ask(signer.token(CLAIMS))).toMatchObject({ rule: 'identity.tokens.revoked' });
    expect(await ask(signer.token({ ...CLAIMS, jti: 't-2' }))).toMatchObject({ allow: true });
    revoke({ issuer: ISSUER, name: 'pump-1' });
    expect(await ask(signer.token({ ...CLAIMS, jti: undefined }))).toMatchObject({
      because: 'tokens of pump-1 were revoked',
    });
    revoke({ issuer: ISSUER, name: 'pump-1' }, NOW_MS);
    expect(await ask(signer.token(CLAIMS))).toMatchObject({ allow: true });
    revoke({ issuer: ISSUER, id: 'pump-1' });
    expect(await ask(signer.token(CLAIMS))).toMatchObject({ allow: true });
    revoke({ issuer: 'https://other.example', name: 'pump-1' });
    expect(await ask(signer.token(CLAIMS))).toMatchObject({ allow: true });
  });
});

describe('beside other proofs', () => {
  it('only what looks like a token is one where the listener takes any proof', async () => {
    const { ask } = await scene();
    expect(await ask('hunter2', {}, 'any')).toBeUndefined();
    expect(await ask(undefined, {}, 'any')).toBeUndefined();
    expect(await ask(signer.token(CLAIMS), {}, 'any')).toMatchObject({ allow: true });
    expect(await ask(other.token(CLAIMS), {}, 'any')).toMatchObject({ allow: false });
  });

  it.each(['certificate', 'password', 'scram', 'psk', 'none'])(
    'is silent on a listener for %s',
    async (authentication) => {
      const { ask } = await scene();
      expect(await ask(signer.token(CLAIMS), {}, authentication)).toBeUndefined();
    },
  );
});

function swapClaims(token: string, claims: object): string {
  const [header, , signature] = token.split('.');
  return `${header}.${encode(JSON.stringify(claims))}.${signature}`;
}
