// Somebody else is asked about a certificate before it is let in, and only about certificates.

import { describe, expect, it } from 'vitest';
import type { ConnectionFacts } from '../ports/connection-facts.ts';
import type { Evidence } from '../ports/guards.ts';
import { type CertificateInUse, type RevokedCertificates, revokedKey } from '../ports/trust.ts';
import { refuse } from '../ports/verdict.ts';
import { createStatusProof } from './status-proof.ts';

const CERTIFICATE: CertificateInUse = {
  realm: 'ca:plant',
  name: 'pump-1',
  serial: '0A',
  issuer: 'ab',
  der: Uint8Array.of(1),
};
const EVIDENCE = { facts: {} as ConnectionFacts } as Evidence;
const NOBODY: RevokedCertificates = { find: () => undefined };

const proofWith = (
  revoked: RevokedCertificates | undefined,
  certificate: CertificateInUse | undefined = CERTIFICATE,
) => {
  const trust = { number: 1, issuers: [], ...(revoked === undefined ? {} : { revoked }) };
  return createStatusProof({ trust, certificateOf: () => certificate })(EVIDENCE);
};

describe('the status of a certificate', () => {
  it('is nobody asked about who showed none, or where nobody has to be asked', () => {
    const ask = () => expect.fail('asked');
    const trust = { number: 1, issuers: [], revoked: { ...NOBODY, ask } };
    expect(createStatusProof({ trust, certificateOf: () => undefined })(EVIDENCE)).toBeUndefined();
    expect(proofWith(undefined)).toBeUndefined();
    expect(proofWith(NOBODY)).toBeUndefined();
    expect(proofWith({ ...NOBODY, ask: () => undefined })).toBeUndefined();
  });

  it('that is good adds nothing, and one that is not refuses', async () => {
    expect(await proofWith({ ...NOBODY, ask: async () => undefined })).toBeUndefined();
    const refusal = refuse('not-authorized', 'it is not known', 'tls.ocsp');
    expect(await proofWith({ ...NOBODY, ask: async () => refusal })).toBe(refusal);
  });

  it('that was taken back while the answer was on its way is taken back', async () => {
    const gone = new Set<string>();
    const revoked: RevokedCertificates = {
      find: (key) => (gone.has(key) ? { superseded: false } : undefined),
      ask: async () => void gone.add(revokedKey('ca:plant', '0A')),
    };
    expect(await proofWith(revoked)).toMatchObject({ because: 'the certificate of pump-1 was revoked' });
  });
});
