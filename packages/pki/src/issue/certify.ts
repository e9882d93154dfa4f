// A certificate for a device's key, in the ledger before anyone sees it; and what the ledger says of a key that was
// certified before, so that asking twice gives one certificate.

import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { namedProfile } from '../profiles/named.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { type NamedProfile, OWN_REALM } from '../protocol/names.ts';
import type { IssuedDevice } from '../protocol/results.ts';
import type { Authorities } from './generations.ts';
import { type IssuedRecord, type Ledger, recordOf } from './ledger.ts';
import { refuseKey } from './request.ts';
import { sign } from './sign.ts';

export interface Certifying {
  /** Read anew for every request: the CA may be replaced. */
  readonly ca: { readonly authorities: Authorities; readonly roots: string };
  readonly ledger: Ledger;
}

export interface Certified {
  readonly name: string;
  readonly profile: NamedProfile;
  readonly publicKey: KeyObject;
  readonly via: IssuedRecord['via'];
}

/** Issues without asking whether it may. Throws MOT-0424, 0428, 0430 for the kind of key, 0433 also for a name of the other kind, 0434, 0437. */
export async function certifyDevice(
  { ca, ledger }: Certifying,
  { name, profile, publicKey, via }: Certified,
  nowMs: number,
): Promise<IssuedDevice> {
  const plan = namedProfile(profile, name);
  refuseKey(plan.profile, publicKey);
  refuseOtherKind(ledger, name, profile);
  const certificate = await sign(plan, publicKey, ca.authorities.current.issuer, nowMs);
  const record = recordOf(certificate, via, nowMs);
  await ledger.append(record);
  return issuedOf(ca, record);
}

/** Of one name a certificate proves either what is connected or a person who administers it, never now one and now the other. */
function refuseOtherKind(ledger: Ledger, name: string, profile: NamedProfile): void {
  const earlier = ledger.device(name)?.at(-1)?.profile;
  if (earlier === undefined || (earlier === 'administrator') === (profile === 'administrator')) return;
  const whose = earlier === 'administrator' ? 'an administrator' : 'a device';
  throw new AuthorityFault('MOT-0433', `${name} is the name of ${whose}`);
}

/** The device's certificate for this key that was issued since then, if there is one. */
export function certifiedSince(ledger: Ledger, name: string, key: string, sinceMs: number): IssuedRecord | undefined {
  const records = ledger.device(name) ?? [];
  return records
    .filter(({ issuedAt }) => Date.parse(issuedAt) >= sinceMs)
    .reverse()
    .find(({ certificate }) => keyFingerprint(new X509Certificate(certificate).publicKey) === key);
}

/** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
export function keyFingerprint(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** A record as it is answered. */
export function issuedOf({ authorities, roots }: Certifying['ca'], record: IssuedRecord): IssuedDevice {
  const { current, old } = authorities;
  const issuer = old !== undefined && record.issuer !== current.issuer.commonName ? old : current;
  const { name, certificate, serial, notBefore, notAfter, fingerprint } = record;
  return {
    name,
    realm: OWN_REALM,
    certificate,
    issuing: issuer.issuingPem,
    root: roots,
    serial,
    notBefore,
    notAfter,
    fingerprint,
  };
}
