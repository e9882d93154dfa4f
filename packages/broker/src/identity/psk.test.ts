import { describe, expect, it } from 'vitest';
import type { RegisteredIdentity } from '../ports/directory.ts';
import type { Evidence } from '../ports/guards.ts';
import type { ProvenKey } from '../ports/psk.ts';
import { createPreSharedKeys, createPskProof } from './psk.ts';

const KEY = Buffer.alloc(32, 7);

function registry(change: Partial<RegisteredIdentity> = {}) {
  const entry: RegisteredIdentity = {
    realm: 'psk',
    name: 'pump-1',
    kind: 'device',
    roles: ['device'],
    state: 'active',
    addedAtMs: 0,
    verifier: { kind: 'psk', key: KEY.toString('base64') },
    ...change,
  };
  return { find: (realm: string, name: string) => (realm === entry.realm && name === entry.name ? entry : undefined) };
}

const evidence = (psk: ProvenKey | undefined, authentication: 'psk' | 'certificate' = 'psk'): Evidence =>
  ({
    facts: { listener: { name: 'boards', authentication, role: undefined }, tls: { protocol: 'TLSv1.3', psk } },
    clientId: 'pump-1',
  }) as unknown as Evidence;

describe('the key of an identity', () => {
  it('is that of the registry, and for a name that is nobody’s always the same one that fits nothing', () => {
    const keys = createPreSharedKeys(registry());
    expect(keys('pump-1')?.key).toEqual(KEY);
    const nobody = keys('nobody');
    expect(nobody).toMatchObject({ keyId: undefined });
    expect(nobody?.key).toHaveLength(32);
    expect(keys('nobody')?.key).toEqual(nobody?.key);
    expect(keys('nobody-2')?.key).not.toEqual(nobody?.key);
    expect(createPreSharedKeys(registry())('nobody')?.key).not.toEqual(nobody?.key);
  });

  it.each([[''], ['a/b'], ['+'], ['pump 1'], ['\u0000'], ['x'.repeat(64)], ['\uFFFD\u0001ticket']])(
    'does not exist for %j, which is no name',
    (identity) => expect(createPreSharedKeys(registry())(identity)).toBeUndefined(),
  );

  it.each([
    ['another kind of verifier', { verifier: { kind: 'argon2id', hash: 'x' } }],
    ['none', { realm: 'psk', verifier: undefined }],
    ['a short key', { verifier: { kind: 'psk', key: Buffer.alloc(16, 7).toString('base64') } }],
    ['a certificate', { realm: 'ca:motte' }],
  ])('is nobody’s for an entry with %s', (_what, change) => {
    expect(createPreSharedKeys(registry(change as Partial<RegisteredIdentity>))('pump-1')).toMatchObject({
      keyId: undefined,
    });
  });
});

describe('the proof by a pre-shared key', () => {
  const proven = (): ProvenKey => ({ identity: 'pump-1', keyId: createPreSharedKeys(registry())('pump-1')?.keyId });

  it('is silent elsewhere, and names the identity in a realm of its own', () => {
    const proof = createPskProof(registry());
    expect(proof(evidence(proven(), 'certificate'))).toBeUndefined();
    expect(proof(evidence(proven()))).toMatchObject({
      allow: true,
      identity: { realm: 'psk', name: 'pump-1', kind: 'device', roles: ['device'] },
    });
  });

  it('takes nothing but a key that was noted for this connection and is the registry’s today', () => {
    expect(createPskProof(registry())(evidence(undefined))).toMatchObject({ allow: false });
    expect(createPskProof(registry())(evidence({ identity: 'pump-1', keyId: undefined }))).toMatchObject({
      allow: false,
    });
    expect(createPskProof(registry({ name: 'pump-2' }))(evidence(proven()))).toMatchObject({ allow: false });
    const other = { kind: 'psk', key: Buffer.alloc(32, 8).toString('base64') } as const;
    expect(createPskProof(registry({ verifier: other }))(evidence(proven()))).toMatchObject({ allow: false });
    expect(createPskProof(registry({ state: 'disabled' }))(evidence(proven()))).toMatchObject({
      because: expect.stringContaining('disabled'),
    });
  });
});
