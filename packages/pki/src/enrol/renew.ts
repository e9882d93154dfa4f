// Renewal: the old key speaks for the new request, and the authority checks that itself, whatever the broker says. What
// the old key has not signed, or signs after its certificate has ended, waits for approval.

import { createHash, type KeyObject, verify, X509Certificate } from 'node:crypto';
import { certifiedSince, certifyDevice, issuedOf, keyFingerprint } from '../issue/certify.ts';
import type { IssuedRecord } from '../issue/ledger.ts';
import { parseCertificationRequest } from '../issue/request.ts';
import { CERTIFICATE_CHARACTERS_MAX, RENEWAL_AGAIN_MS, RENEWALS_A_DAY_MAX } from '../limits.ts';
import { type EnrolAnswer, renewalText } from '../protocol/enrolment.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { deviceNameOf, MQTT_PROFILES } from '../protocol/names.ts';
import type { EnrolmentParts } from './parts.ts';
import { ask } from './requests.ts';

/** MOT-0448 for what may not be renewed, MOT-0430, MOT-0446. */
export async function renewDevice(
  parts: EnrolmentParts,
  params: { readonly certificate: string; readonly csr: string; readonly proof: string },
  nowMs: number,
): Promise<EnrolAnswer> {
  const { ca, ledger } = parts;
  const { leaf, record, latest } = recordedAs(parts, params.certificate);
  const { name } = record;
  // What somebody is does not change by renewing; deviceNameOf has seen that it is one of these.
  const profile = MQTT_PROFILES.find((one) => one === record.profile) ?? 'device';
  const { publicKey } = await parseCertificationRequest(params.csr);
  const isProven = checkProof(leaf.publicKey, publicKey, params, name);
  const key = keyFingerprint(publicKey);
  if (record !== latest) {
    // The answer to the last time was lost: it is given again.
    const again = certifiedSince(ledger, name, key, nowMs - RENEWAL_AGAIN_MS);
    if (again === latest) return { state: 'issued', device: { ...issuedOf(ca, again), roles: [] } };
  }
  const hasEnded = nowMs >= Date.parse(record.notAfter);
  if (hasEnded && record !== latest) throw refused(`${name} shows a certificate that ended and has a later one`);
  if (hasEnded || !isProven) {
    const kind = hasEnded ? 'expired' : 'new-key';
    return ask(parts, { kind, name, profile, publicKey, roles: [], mayBegin: true }, nowMs);
  }
  const today = (ledger.device(name) ?? []).filter(({ issuedAt }) => nowMs - Date.parse(issuedAt) < DAY_MS).length;
  if (today >= RENEWALS_A_DAY_MAX) throw refused(`${name} got ${today} certificates within a day`);
  const device = await certifyDevice(parts, { name, profile, publicKey, via: 'renewal' }, nowMs);
  return { state: 'issued', device: { ...device, roles: [] } };
}

/** The certificate as the ledger has it, byte for byte. */
function recordedAs(parts: EnrolmentParts, pem: string) {
  let leaf: X509Certificate;
  try {
    if (pem.length > CERTIFICATE_CHARACTERS_MAX) throw new RangeError('too long');
    leaf = new X509Certificate(pem);
  } catch {
    throw refused('the certificate that was shown cannot be read');
  }
  const name = deviceNameOf(leaf) ?? '';
  const records: readonly IssuedRecord[] = parts.ledger.device(name) ?? [];
  const fingerprint = createHash('sha256').update(leaf.raw).digest('hex');
  const record = records.find((one) => one.fingerprint === fingerprint);
  const latest = records.at(-1);
  if (record === undefined || latest === undefined)
    throw refused('a certificate that this CA did not issue to a device');
  if (parts.isRevoked(record.serial)) throw refused(`the certificate of ${name} was revoked`);
  return { leaf, record, latest };
}

/** Whether the old key itself speaks for the request: it signed the request, or the proof. A wrong proof is refused. */
function checkProof(
  old: KeyObject,
  asked: KeyObject,
  { csr, proof }: { readonly csr: string; readonly proof: string },
  name: string,
): boolean {
  if (asked.equals(old)) return true;
  if (proof === '') return false;
  const signature = Buffer.from(proof, 'base64');
  if (verify('sha256', Buffer.from(renewalText(csr)), old, signature)) return true;
  throw refused(`the proof is not by the key of the certificate of ${name}`);
}

function refused(why: string): AuthorityFault {
  return new AuthorityFault('MOT-0448', why);
}

const DAY_MS = 86_400_000;
