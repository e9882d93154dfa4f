import { describe, expect, it } from 'vitest';
import type { ConnectionFacts, TlsFacts } from '../ports/connection-facts.ts';
import type { RegisteredIdentity } from '../ports/directory.ts';
import type { Identity } from '../ports/identity.ts';
import type { StoredSession } from '../ports/store.ts';
import { type ForeignAuthority, revokedKey, type TrustFacts } from '../ports/trust.ts';
import { refuse } from '../ports/verdict.ts';
import { MemoryDirectory } from '../testing/logins.ts';
import type { CertificateProof } from './certificate.ts';
import { isKnown, recallSubject } from './recall.ts';
import { createStanding } from './standing.ts';

const TLS: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: '',
  resumed: false,
  serverName: undefined,
  certificate: undefined,
  fingerprint: undefined,
};
const LISTENER: ConnectionFacts['listener'] = {
  name: 'devices',
  scheme: 'mqtts',
  authentication: 'certificate',
  role: undefined,
  clientIds: 'own',
  versions: [5],
};
const FACTS: ConnectionFacts = { id: 1, listener: LISTENER, address: '', port: 0, tls: TLS, openedAtMs: 0 };
const PROOF: CertificateProof = {
  realm: 'ca:motte',
  name: 'pump-1',
  serial: '0A',
  issuer: 'ab',
  notBeforeMs: 0,
  notAfterMs: 1,
};

const registered = (realm: string, state: 'active' | 'disabled' = 'active'): RegisteredIdentity => {
  return { realm, name: 'pump-1', kind: 'device', roles: [], state, addedAtMs: 0 };
};
const identity = (realm: string): Identity => ({ realm, name: 'pump-1', kind: 'device', roles: [] });

const SESSION: StoredSession = {
  ...{ key: 'k', realm: 'ca:plant', name: 'pump-1', clientId: 'pump-1', listener: 'devices', address: '' },
  ...{ expirySeconds: 60, generation: 1, endedAtMs: 0, sentSeq: 0, unsureSeq: 0, roles: ['device'] },
};

interface World {
  readonly known?: readonly RegisteredIdentity[];
  readonly foreign?: ReadonlyMap<string, ForeignAuthority>;
  readonly revoked?: TrustFacts['revoked'];
  /** How the connection was proven; default by no certificate. */
  readonly proof?: CertificateProof;
}

function standing(realm: string, { known = [], foreign, revoked, proof }: World) {
  const proofs = new WeakMap<TlsFacts, CertificateProof>();
  if (proof !== undefined) proofs.set(TLS, proof);
  const trust = { number: 1, issuers: [], ...(foreign ? { foreign } : {}), ...(revoked ? { revoked } : {}) };
  const stands = createStanding({ directory: new MemoryDirectory(...known), trust, proofs });
  return stands(FACTS, identity(realm));
}

it('asks whoever knows of who is in no registry, with the token, and of nobody else', () => {
  const asked: unknown[] = [];
  const refusal = refuse('not-authorized', 'it was revoked', 'identity.tokens.revoked');
  const stands = createStanding({
    directory: new MemoryDirectory(registered('password')),
    trust: { number: 1, issuers: [] },
    proofs: new WeakMap(),
    checkOutsider: ({ realm, name, token }) => {
      asked.push([realm, name, token]);
      return token === 'stolen' ? refusal : undefined;
    },
  });
  expect(stands(FACTS, identity('password'), 'stolen')).toBeUndefined();
  expect(stands(FACTS, identity('token:plant'), 'stolen')).toEqual({ refusal, superseded: false });
  expect(stands(FACTS, identity('token:plant'), 'good')).toBeUndefined();
  expect(stands(FACTS, identity('token:plant'))).toBeUndefined();
  expect(asked).toEqual([
    ['token:plant', 'pump-1', 'stolen'],
    ['token:plant', 'pump-1', 'good'],
    ['token:plant', 'pump-1', undefined],
  ]);
});

/** What stands in the list, under that CA. */
const listed = (key: string, issuer: string, superseded = false) => ({
  find: (wanted: string, by: string) => (wanted === key && by === issuer ? { superseded } : undefined),
});

describe('a certificate', () => {
  const known = [registered('ca:motte')];

  it('that was taken back proves nothing any more, however its serial number is written', () => {
    const revoked = listed(revokedKey('ca:motte', 'a'), 'ab');
    expect(standing('ca:motte', { known, proof: PROOF, revoked })).toMatchObject({
      refusal: { rule: 'identity.revocation' },
      superseded: false,
    });
  });

  it('in whose place there is another one leaves the session to that', () => {
    const revoked = listed(revokedKey('ca:motte', '0a'), 'ab', true);
    expect(standing('ca:motte', { known, proof: PROOF, revoked })).toMatchObject({ superseded: true });
  });

  it.each([
    ['another serial number', revokedKey('ca:motte', '0b'), 'ab'],
    ['the same of another realm', revokedKey('ca:plant', '0a'), 'ab'],
    ['the same of another CA', revokedKey('ca:motte', '0a'), 'cd'],
  ])('is not touched by %s', (_, key, issuer) => {
    expect(standing('ca:motte', { known, proof: PROOF, revoked: listed(key, issuer) })).toBeUndefined();
  });

  it('taken back is nothing to a connection that something else proved', () => {
    const revoked = listed(revokedKey('ca:motte', '0a'), 'ab');
    expect(standing('password', { known: [registered('password')], revoked })).toBeUndefined();
  });
});

describe.each(['ca:motte', 'psk', 'password', 'scram'])('an identity of the realm %s', (realm) => {
  it('stands while it is registered and active, and no other realm helps', () => {
    expect(standing(realm, { known: [registered(realm)] })).toBeUndefined();
    expect(standing(realm, { known: [registered(realm, 'disabled')] })).toMatchObject({
      refusal: { because: 'pump-1 is disabled in the registry' },
      superseded: false,
    });
    const others = ['ca:motte', 'psk', 'password', 'scram']
      .filter((one) => one !== realm)
      .map((one) => registered(one));
    expect(standing(realm, { known: others })).toMatchObject({
      refusal: { because: 'pump-1 was removed from the registry' },
    });
  });
});

it.each(['token:https://login.example', 'listener:lab'])('%s has no registry to fall from', (realm) => {
  expect(standing(realm, {})).toBeUndefined();
});

it('one whom a token proves falls where the registry says that he is disabled, and leaves nothing that is his', () => {
  const known = [registered('token:plant', 'disabled')];
  expect(standing('token:plant', { known })).toMatchObject({ refusal: { rule: 'identity.directory' } });
  const directory = new MemoryDirectory(...known);
  expect(isKnown('token:plant\npump-1', { directory, foreign: undefined })).toBe(false);
  expect(isKnown('token:plant\npump-2', { directory, foreign: undefined })).toBe(true);
  const checkOutsider = () => refuse('not-authorized', 'it was revoked', 'identity.tokens.revoked');
  expect(isKnown('token:plant\npump-2', { directory, foreign: undefined, checkOutsider })).toBe(false);
});

describe('of a foreign authority', () => {
  const roles = new Map([['ca:plant', { roles: ['device'] }]]);
  const none = new Map([['ca:plant', {}]]);

  it('whoever it lets in by itself stands; without roles only who is registered with it', () => {
    expect(standing('ca:plant', { foreign: roles })).toBeUndefined();
    expect(standing('ca:plant', { foreign: none })).toMatchObject({ refusal: { rule: 'identity.directory' } });
    expect(standing('ca:plant', { foreign: none, known: [registered('ca:plant')] })).toBeUndefined();
    expect(standing('ca:plant', { foreign: roles, known: [registered('ca:plant', 'disabled')] })).toMatchObject({
      refusal: { because: 'pump-1 is disabled in the registry' },
    });
  });

  it('nobody stands by a name that it may not prove any more', () => {
    const foreign = new Map([['ca:plant', { roles: ['device'], names: ['valve-*'] }]]);
    expect(standing('ca:plant', { foreign })).toMatchObject({ refusal: { rule: 'tls.clientCa.names' } });
    expect(
      standing('ca:plant', { foreign: new Map([['ca:plant', { names: ['pump-*'], roles: [] }]]) }),
    ).toBeUndefined();
    const directory = new MemoryDirectory(registered('ca:plant'));
    expect(recallSubject(SESSION, { directory, listeners: [LISTENER], foreign })).toBeUndefined();
    expect(isKnown('ca:plant\npump-1', { directory, foreign })).toBe(false);
  });

  it('nobody stands once it is gone, registered or not, and no session waits for anybody', () => {
    const known = [registered('ca:plant')];
    const foreign = new Map([['ca:other', { roles: ['device'] }]]);
    expect(standing('ca:plant', { foreign, known })).toMatchObject({
      refusal: { because: 'the authority ca:plant of pump-1 is not trusted any more', rule: 'tls.clientCa' },
    });
    const directory = new MemoryDirectory(...known);
    const recalled = (trusted: ReadonlyMap<string, ForeignAuthority>) =>
      recallSubject(SESSION, { directory, listeners: [LISTENER], foreign: trusted });
    expect(recalled(foreign)).toBeUndefined();
    expect(recalled(none)).toMatchObject({ identity: { realm: 'ca:plant' } });
    expect(isKnown('ca:plant\npump-1', { directory, foreign })).toBe(false);
    expect(isKnown('ca:plant\npump-1', { directory, foreign: none })).toBe(true);
  });
});
