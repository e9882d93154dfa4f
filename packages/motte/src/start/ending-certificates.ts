// When the certificates that the broker shows and trusts end: its own, the operator's, and the CAs of both. Which of them have
// to be renewed is said here; who is told, and how often, is expiry-watch's business.

import { X509Certificate } from 'node:crypto';
import type { EndingCertificate, HealthFinding } from '@motte/broker/ports/admin-view';
import { splitPem } from './client-authorities.ts';
import type { Material } from './material.ts';

/** Of everything that listeners show or trust, what ends first standing first. */
export function endingCertificates({ tls, authorities }: Pick<Material, 'tls' | 'authorities'>): EndingCertificate[] {
  const own = splitPem(tls.clientCa).map((pem) => new X509Certificate(pem));
  const servers = [tls.cert, ...(tls.further ?? []).map(({ cert }) => cert)].map((pem): EndingCertificate => {
    const leaf = new X509Certificate(pem);
    const isOwn = own.some((ca) => leaf.checkIssued(ca));
    return rowOf(leaf, 'server', isOwn);
  });
  const foreign = authorities.flatMap(({ realm, certificates }) =>
    certificates.map((pem): EndingCertificate => {
      const row = rowOf(new X509Certificate(pem), 'ca', false);
      return { ...row, name: `${row.name} (${realm})` };
    }),
  );
  return [...servers, ...own.map((ca) => rowOf(ca, 'ca', true)), ...foreign].sort(
    (a, b) => a.notAfterMs - b.notAfterMs,
  );
}

/** What somebody has to see to. The authority renews its server certificates itself, so those are late a day after. */
export function endingFindings(certificates: readonly EndingCertificate[], nowMs: number): HealthFinding[] {
  return certificates
    .filter((one) => isDue(one, nowMs))
    .map((one) => ({ subject: 'certificate', why: whyOf(one, nowMs) }));
}

/** Whether it ends so soon that somebody has to be told. */
export function isDue({ kind, isOwn, notAfterMs }: EndingCertificate, nowMs: number): boolean {
  const days = kind === 'server' && isOwn ? WARN_DAYS - 1 : WARN_DAYS;
  return notAfterMs - nowMs < days * DAY_MS;
}

/** Whole ones; below 0 once it has ended. */
export function daysLeft(notAfterMs: number, nowMs: number): number {
  return Math.floor((notAfterMs - nowMs) / DAY_MS);
}

function whyOf({ kind, name, isOwn, notAfterMs }: EndingCertificate, nowMs: number): string {
  const days = daysLeft(notAfterMs, nowMs);
  const on = new Date(notAfterMs).toISOString();
  const when = days < 0 ? `has ended, on ${on}` : `ends in ${days} day${days === 1 ? '' : 's'}, on ${on}`;
  const whose = { server: 'the server certificate', ca: 'the CA', device: 'the certificate of' }[kind];
  return `${whose} ${name} ${when}: ${REMEDIES[kind][isOwn ? 'own' : 'theirs']}`;
}

function rowOf(certificate: X509Certificate, kind: 'server' | 'ca', isOwn: boolean): EndingCertificate {
  const { subject, validTo, fingerprint256 } = certificate;
  // A subject may be empty; then the certificate says its names elsewhere.
  const name = (subject ?? certificate.subjectAltName ?? 'without a name').replaceAll('\n', ', ');
  return {
    kind,
    name: name.replace(/[^ -~]/g, '?').slice(0, NAME_SHOWN),
    isOwn,
    notAfterMs: Date.parse(validTo),
    id: fingerprint256,
  };
}

const REMEDIES = {
  server: {
    own: 'the authority renews it by itself, and something keeps it from that',
    theirs: 'put a new one into its files, see tls.certificate and tls.certificates',
  },
  ca: {
    own: 'replace the CA with `motte ca rotate`',
    theirs: 'put its successor into the file of tls.clientCa',
  },
  device: { own: 'it renews with `motte enrol --renew`', theirs: 'its authority renews it' },
} as const;
export const WARN_DAYS = 30;
const DAY_MS = 86_400_000;
const NAME_SHOWN = 120;
