// Plan + public key + issuer -> certificate: built and signed with a throw-away key for lint to read, and only then, byte for
// byte the same, by the issuer.

import { createHash, type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import type { Extension } from '@peculiar/x509';
import { BACKDATE_MS, LIFE_MS, SERIAL_BYTES } from '../limits.ts';
import { lint } from '../profiles/lint.ts';
import { type Plan, PURPOSES } from '../profiles/profile.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { serialText } from '../protocol/names.ts';
import { loadX509 } from '../x509.ts';
import { type Issuer, signAnew } from './signature.ts';

export interface SignedCertificate {
  readonly plan: Plan;
  /** Common name of who signed it. */
  readonly issuer: string;
  readonly pem: string;
  /** Lower-case hex. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Signs with the issuer's key; a root's own key is passed with the limits it is to have. Throws MOT-0424, 0434, 0437, 0476, 0477. */
export async function sign(
  plan: Plan,
  publicKey: KeyObject,
  issuer: Issuer,
  nowMs: number,
): Promise<SignedCertificate> {
  const x509 = await loadX509();
  if (nowMs < issuer.notBeforeMs) {
    const [now, from] = [nowMs, issuer.notBeforeMs].map((ms) => new Date(ms).toISOString());
    throw new AuthorityFault('MOT-0437', `it is ${now}, and the CA began on ${from}`);
  }
  const notBeforeMs = Math.max(wholeSeconds(nowMs - BACKDATE_MS), issuer.notBeforeMs);
  const notAfterMs = Math.min(wholeSeconds(nowMs + LIFE_MS[plan.profile]), issuer.notAfterMs);
  if (nowMs >= issuer.notAfterMs) {
    throw new AuthorityFault('MOT-0424', `${issuer.commonName} ended on ${new Date(issuer.notAfterMs).toISOString()}`);
  }
  const contents = {
    serialNumber: randomSerial(),
    subject: [{ CN: [plan.commonName] }],
    issuer: [{ CN: [issuer.commonName] }],
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    publicKey: spki(publicKey),
    extensions: extensions(x509, plan, publicKey, issuer),
    signingAlgorithm: ALGORITHM,
  };
  const scratch = await webcrypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const draft = await x509.X509CertificateGenerator.create({ ...contents, signingKey: scratch.privateKey });
  lint(plan, new Uint8Array(draft.rawData), draft.extensions, issuer);
  const der = await signAnew(new Uint8Array(draft.rawData), issuer);
  const certificate = new X509Certificate(der);
  if (!certificate.verify(issuer.publicKey)) {
    throw new AuthorityFault(
      'MOT-0477',
      `what was signed for ${issuer.commonName} does not verify under its public key`,
    );
  }
  return {
    plan,
    issuer: issuer.commonName,
    pem: certificate.toString(),
    serial: serialText(contents.serialNumber),
    notBeforeMs,
    notAfterMs,
    fingerprint: createHash('sha256').update(der).digest('hex'),
  };
}

function extensions(x509: Awaited<ReturnType<typeof loadX509>>, plan: Plan, publicKey: KeyObject, issuer: Issuer) {
  const { ca, pathLength, usage, extended } = PURPOSES[plan.profile];
  const { keyCertSign, cRLSign, digitalSignature } = x509.KeyUsageFlags;
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const list: Extension[] = [
    new x509.BasicConstraintsExtension(ca, pathLength, true),
    new x509.KeyUsagesExtension(usage === 'certificates' ? keyCertSign | cRLSign : digitalSignature, true),
    new x509.SubjectKeyIdentifierExtension(keyIdentifier(publicKey)),
  ];
  if (plan.profile !== 'root') list.push(new x509.AuthorityKeyIdentifierExtension(keyIdentifier(issuer.publicKey)));
  if (extended !== undefined) {
    const use = extended.use === 'server' ? serverAuth : clientAuth;
    list.push(new x509.ExtendedKeyUsageExtension([use], extended.critical));
  }
  if (issuer.crlUrl !== undefined) list.push(new x509.CRLDistributionPointsExtension([issuer.crlUrl]));
  if (plan.alternativeNames.length > 0) {
    list.push(new x509.SubjectAlternativeNameExtension([...plan.alternativeNames]));
  }
  return list;
}

/** RFC 7093, section 2, method 4: the first 160 bits of a SHA-256, here over the whole SubjectPublicKeyInfo. */
export function keyIdentifier(key: KeyObject): string {
  return createHash('sha256').update(spki(key)).digest('hex').slice(0, 40);
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** Positive and of full length in DER: the first byte is 0x01 to 0x7f. */
function randomSerial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) % 0x7f) + 1;
  return bytes.toString('hex');
}

/** Certificates carry whole seconds; a fraction would be written out and break readers. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
