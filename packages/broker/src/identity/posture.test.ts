import { beforeAll, describe, expect, it } from 'vitest';
import { createTestAuthority, derOf, type TestAuthority } from '../../../../test/fixtures/certificates.ts';
import type { ConnectionFacts } from '../ports/connection-facts.ts';
import { createAssess, keyBits } from './posture.ts';

let authority: TestAuthority;
beforeAll(() => {
  authority = createTestAuthority('Plant');
});

function facts(protocol: string | undefined, certificate?: Uint8Array, scheme = 'mqtts'): ConnectionFacts {
  const tls = protocol === undefined ? undefined : { protocol, certificate, fingerprint: String(certificate?.length) };
  return { listener: { scheme }, tls } as unknown as ConnectionFacts;
}

describe('the posture of a client', () => {
  it('is nothing to say where the policy demands nothing', () => {
    expect(createAssess({ action: 'refuse' })(facts(undefined), 3)).toBeUndefined();
  });

  it.each([
    ['TLSv1.2', '1.3', 'it came with TLS 1.2; TLS 1.3 is the least'],
    ['TLSv1.3', '1.3', undefined],
    ['TLSv1.2', '1.2', undefined],
    [undefined, '1.2', 'it came with no TLS; TLS 1.2 is the least'],
  ] as const)('over %s where %s is the least', (protocol, minTls, because) => {
    const found = createAssess({ minTls, action: 'flag' })(facts(protocol), 5);
    expect(found).toEqual(
      because === undefined ? undefined : { action: 'flag', because, rule: 'identity.posture.minTls' },
    );
  });

  it('asks for no TLS over a Unix socket', () => {
    expect(
      createAssess({ minTls: '1.3', action: 'refuse' })(facts(undefined, undefined, 'mqtt+unix'), 5),
    ).toBeUndefined();
  });

  it.each([
    [3, '3.1.1', 'it speaks MQTT 3.1; 3.1.1 is the least'],
    [4, '5.0', 'it speaks MQTT 3.1.1; 5.0 is the least'],
    [4, '3.1.1', undefined],
    [5, '5.0', undefined],
  ] as const)('that speaks MQTT level %s where %s is the least', (version, minMqtt, because) => {
    expect(createAssess({ minMqtt, action: 'refuse' })(facts('TLSv1.3'), version)?.because).toBe(because);
  });

  it('by the key of its certificate, elliptic ones counted by their strength', () => {
    const rsa = derOf(authority.issue('a', { rsaBits: 2048 }).cert);
    const elliptic = derOf(authority.issue('b').cert);
    expect([keyBits(rsa), keyBits(elliptic)]).toEqual([2048, 3072]);
    const assess = createAssess({ minKeyBits: 3072, action: 'refuse' });
    expect(assess(facts('TLSv1.3', rsa), 5)).toMatchObject({ action: 'refuse', rule: 'identity.posture.minKeyBits' });
    expect(assess(facts('TLSv1.3', rsa), 5)?.because).toContain('RSA of 2048 bits');
    expect(assess(facts('TLSv1.3', elliptic), 5)).toBeUndefined();
    // A user with a password has no key to be short.
    expect(assess(facts('TLSv1.3'), 5)).toBeUndefined();
  });
});
