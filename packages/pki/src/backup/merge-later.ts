// What a restored authority has to know beyond its backup: revocations of since then, and the certificates of since then that it
// could not revoke otherwise. A source that is older than the backup, or of another CA, says nothing and is refused.

import { webcrypto, X509Certificate } from 'node:crypto';
import type { IssuedRecord } from '../issue/ledger.ts';
import { isNamedProfile, serialText } from '../protocol/names.ts';
import type { RevocationReason, RevokedRecord } from '../revoke/revocations.ts';
import { loadX509 } from '../x509.ts';
import { type Later, refuseLater } from './later.ts';

/** What stands in the backup. */
export interface Restored {
  /** By serial number, lower-case hex. */
  readonly issued: ReadonlyMap<string, Pick<IssuedRecord, 'name' | 'notAfter' | 'profile'>>;
  readonly revoked: ReadonlyMap<string, Pick<RevokedRecord, 'notAfter'>>;
  /** PEM, and what `issuer` of a record says of certificates by it. */
  readonly issuing: readonly { readonly pem: string; readonly commonName: string }[];
  readonly madeMs: number;
}

export interface Merge {
  readonly issued: readonly IssuedRecord[];
  readonly revoked: readonly RevokedRecord[];
  /** Devices that lost a certificate by it and have no good one. */
  readonly gone: readonly string[];
}

/** What is to be added, each once; throws MOT-0441. */
export async function mergeLater(sources: readonly Later[], restored: Restored, nowMs: number): Promise<Merge> {
  const issued = new Map<string, IssuedRecord>();
  const revoked = new Map<string, RevokedRecord>();
  const issuers = new Set(restored.issuing.map(({ commonName }) => commonName));
  for (const source of sources) {
    for (const record of source.issued) {
      const isOurs = isNamedProfile(record.profile) && issuers.has(record.issuer ?? '');
      if (isOurs && !restored.issued.has(record.serial)) issued.set(record.serial, record);
    }
    for (const record of await revokedBy(source, restored)) {
      if (!restored.revoked.has(record.serial) && !revoked.has(record.serial)) revoked.set(record.serial, record);
    }
  }
  return {
    issued: [...issued.values()],
    revoked: [...revoked.values()],
    gone: goneBy(restored, issued, revoked, nowMs),
  };
}

async function revokedBy(source: Later, restored: Restored): Promise<readonly RevokedRecord[]> {
  if (source.crls.length > 0) return listedBy(source, restored);
  const known = new Set(source.revoked.map(({ serial }) => serial));
  checkLater(source, [...restored.revoked.keys()].filter((serial) => !known.has(serial)).length);
  return source.revoked;
}

/** Whatever was revoked stays so: who lacks something that the backup has is older, or of another authority. */
function checkLater({ path }: Later, missing: number): void {
  if (missing === 0) return;
  throw refuseLater(`${path} lacks ${missing} of the revocations in the backup: it is older, or of another broker`);
}

async function listedBy(source: Later, restored: Restored): Promise<readonly RevokedRecord[]> {
  const lists = await Promise.all(source.crls.map((pem) => parseCrl(source, pem)));
  const signed: Crl[] = [];
  for (const list of lists) if (await isSignedByOneOf(list, restored)) signed.push(list);
  if (signed.length === 0) throw refuseLater(`${source.path} is not signed by the CA in the backup`);
  return signed.flatMap((list) => {
    const { thisUpdate } = list;
    // Lists are of whole seconds.
    if (thisUpdate.getTime() + SECOND_MS < restored.madeMs) {
      throw refuseLater(`${source.path} is of ${thisUpdate.toISOString()}, and the backup is newer`);
    }
    const records = list.entries.map((entry) => recordOf(entry, restored));
    const listed = new Set(records.map(({ serial }) => serial));
    // What has ended by then is not listed.
    const open = [...restored.revoked].filter(([, { notAfter }]) => Date.parse(notAfter) > thisUpdate.getTime());
    checkLater(source, open.filter(([serial]) => !listed.has(serial)).length);
    return records;
  });
}

async function parseCrl({ path }: Later, pem: string): Promise<Crl> {
  const { X509Crl } = await loadX509();
  try {
    return new X509Crl(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
  } catch {
    throw refuseLater(`${path} holds a revocation list that cannot be read`);
  }
}

function recordOf(
  { serialNumber, revocationDate, reason = 0 }: Crl['entries'][number],
  restored: Restored,
): RevokedRecord {
  const serial = serialText(serialNumber);
  const known = restored.issued.get(serial);
  return {
    format: 1,
    revokedAt: revocationDate.toISOString(),
    // Of a certificate that was issued later nothing else is known.
    notAfter: known?.notAfter ?? FOR_EVER,
    name: known?.name ?? UNKNOWN,
    serial,
    reason: REASONS.get(reason) ?? 'unspecified',
  };
}

type Crl = InstanceType<Awaited<ReturnType<typeof loadX509>>['X509Crl']>;

async function isSignedByOneOf(list: Crl, { issuing }: Restored): Promise<boolean> {
  for (const { pem } of issuing) {
    const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
    const publicKey = await webcrypto.subtle.importKey('spki', spki, P256, true, ['verify']);
    if (await list.verify({ publicKey })) return true;
  }
  return false;
}

function goneBy(
  restored: Restored,
  issued: ReadonlyMap<string, IssuedRecord>,
  revoked: ReadonlyMap<string, RevokedRecord>,
  nowMs: number,
): string[] {
  const named = [...restored.issued, ...issued].filter(([, { profile }]) => isNamedProfile(profile));
  const good = new Set<string>();
  const lost = new Set<string>();
  for (const [serial, { name, notAfter }] of named) {
    if (revoked.has(serial)) lost.add(name);
    else if (!restored.revoked.has(serial) && Date.parse(notAfter) > nowMs) good.add(name);
  }
  return [...lost].filter((name) => !good.has(name)).sort();
}

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const SECOND_MS = 1_000;
const FOR_EVER = '9999-12-31T23:59:59.000Z';
/** No name of a device. */
const UNKNOWN = '?';
const REASONS: ReadonlyMap<number, RevocationReason> = new Map([
  [1, 'keyCompromise'],
  [4, 'superseded'],
  [5, 'cessationOfOperation'],
]);
