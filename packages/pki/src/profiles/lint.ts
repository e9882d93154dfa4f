// The last look before the CA's key is used: a certificate signed with a throw-away key is read back as bytes and compared
// with what its profile must be. Written against literal DER and node:crypto, not against the code that builds.
// RFC 5280: 4.1.2.2 (serial), 4.1.2.5 (validity), 4.2.1 (extensions).

import { X509Certificate } from 'node:crypto';
import { RSA_BITS } from '../limits.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { isDeviceName, isHostName, isIpAddress } from '../protocol/names.ts';
import type { AlternativeName, Plan, ProfileName } from './profile.ts';

export interface LintedExtension {
  readonly type: string;
  readonly critical: boolean;
  readonly value: ArrayBuffer;
}

export interface LintLimits {
  /** The issuer's validity, which the certificate's must lie within; milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Where the issuer's revocation list is; missing = the certificate must not name a place. */
  readonly crlUrl?: string;
}

interface Expected {
  readonly critical: boolean;
  /** DER in hex, where it is the same in every certificate of the profile. */
  readonly value?: string;
}

const SUBJECT_KEY_ID = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const ALTERNATIVE_NAMES = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const CRL_DISTRIBUTION_POINTS = '2.5.29.31';
const AUTHORITY_KEY_ID = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';

const LEAF = {
  [BASIC_CONSTRAINTS]: { critical: true, value: '3000' },
  [KEY_USAGE]: { critical: true, value: '03020780' },
  [ALTERNATIVE_NAMES]: { critical: false },
  [SUBJECT_KEY_ID]: { critical: false },
  [AUTHORITY_KEY_ID]: { critical: false },
} as const;

const CLIENT = { ...LEAF, [EXTENDED_KEY_USAGE]: { critical: true, value: '300a06082b06010505070302' } } as const;

const EXTENSIONS: Record<ProfileName, Readonly<Record<string, Expected>>> = {
  root: {
    [BASIC_CONSTRAINTS]: { critical: true, value: '30030101ff' },
    [KEY_USAGE]: { critical: true, value: '03020106' },
    [SUBJECT_KEY_ID]: { critical: false },
  },
  issuing: {
    [BASIC_CONSTRAINTS]: { critical: true, value: '30060101ff020100' },
    [KEY_USAGE]: { critical: true, value: '03020106' },
    [SUBJECT_KEY_ID]: { critical: false },
    [AUTHORITY_KEY_ID]: { critical: false },
  },
  server: { ...LEAF, [EXTENDED_KEY_USAGE]: { critical: false, value: '300a06082b06010505070301' } },
  device: CLIENT,
  gateway: CLIENT,
  steward: CLIENT,
  administrator: CLIENT,
};

/** What the names of a profile look like, whatever plan it was asked with. */
const NAMES: Record<ProfileName, (plan: Plan) => boolean> = {
  root: ({ commonName, alternativeNames }) =>
    /^Motte root CA [0-9a-f]{8}$/.test(commonName) && alternativeNames.length === 0,
  issuing: ({ commonName, alternativeNames }) =>
    /^Motte issuing CA [0-9a-f]{8}$/.test(commonName) && alternativeNames.length === 0,
  server: ({ commonName, alternativeNames }) =>
    commonName === 'Motte server' && alternativeNames.length > 0 && alternativeNames.every(isHost),
  device: isNamed('motte:device:'),
  gateway: isNamed('motte:gateway:'),
  steward: isNamed('motte:steward:'),
  administrator: isNamed('motte:administrator:'),
};

/** Days, with one more for what is backdated. */
const DAYS_MAX: Record<ProfileName, number> = {
  root: 7306,
  issuing: 3653,
  server: 91,
  device: 731,
  gateway: 731,
  steward: 366,
  administrator: 366,
};

/** RSA keys are for what stands in the field and for who talks to it; CAs are on P-256. */
const KEYS: Record<ProfileName, { readonly curves: readonly string[]; readonly rsa: boolean }> = {
  root: { curves: ['prime256v1'], rsa: false },
  issuing: { curves: ['prime256v1'], rsa: false },
  server: { curves: ['prime256v1', 'secp384r1'], rsa: true },
  device: { curves: ['prime256v1', 'secp384r1'], rsa: true },
  gateway: { curves: ['prime256v1', 'secp384r1'], rsa: true },
  steward: { curves: ['prime256v1', 'secp384r1'], rsa: false },
  administrator: { curves: ['prime256v1', 'secp384r1'], rsa: false },
};

/** Throws MOT-0434 naming the first thing in `der` that is not as `plan` and its profile demand. */
export function lint(plan: Plan, der: Uint8Array, extensions: readonly LintedExtension[], limits: LintLimits): void {
  const certificate = new X509Certificate(der);
  lintExtensions(plan.profile, extensions, limits.crlUrl);
  demand(NAMES[plan.profile](plan), `its names are not those of a ${plan.profile}`);
  demand(certificate.subject === `CN=${plan.commonName}`, `the subject is ${certificate.subject}`);
  lintAlternativeNames(plan, certificate.subjectAltName);
  demand(/^[0-7][0-9A-F]{31}$/.test(certificate.serialNumber), 'the serial number is not 128 bits');
  lintValidity(plan.profile, certificate, limits);
  lintKey(plan.profile, certificate);
}

function isNamed(prefix: string): (plan: Plan) => boolean {
  return ({ commonName, alternativeNames: [only, ...more] }) =>
    isDeviceName(commonName) && more.length === 0 && only?.type === 'url' && only.value === prefix + commonName;
}

function isHost({ type, value }: AlternativeName): boolean {
  return type === 'dns' ? isHostName(value) : type === 'ip' && isIpAddress(value);
}

function lintExtensions(
  profile: ProfileName,
  extensions: readonly LintedExtension[],
  crlUrl: string | undefined,
): void {
  const expected: Readonly<Record<string, Expected>> = {
    ...EXTENSIONS[profile],
    ...(crlUrl === undefined
      ? {}
      : { [CRL_DISTRIBUTION_POINTS]: { critical: false, value: distributionPoint(crlUrl) } }),
  };
  const left = new Set(Object.keys(expected));
  for (const { type, critical, value } of extensions) {
    const rule = expected[type];
    demand(rule !== undefined && left.delete(type), `extension ${type} does not belong or stands twice`);
    demand(rule?.critical === critical, `extension ${type} is wrongly marked`);
    const hex = Buffer.from(value).toString('hex');
    demand(rule?.value === undefined || rule.value === hex, `extension ${type} is ${hex}`);
  }
  demand(left.size === 0, `extension ${[...left].join(', ')} is missing`);
}

/** One point with one URI as its full name (4.2.1.13), DER in hex; a URL of this program has less than 100 bytes. */
function distributionPoint(url: string): string {
  const bytes = Buffer.from(url, 'latin1');
  return [0x86, 0xa0, 0xa0, 0x30, 0x30]
    .reduce((content, tag) => {
      return Buffer.concat([Buffer.of(tag, content.length), content]);
    }, bytes)
    .toString('hex');
}

function lintAlternativeNames(plan: Plan, found: string | undefined): void {
  const labels = { dns: 'DNS', ip: 'IP Address', url: 'URI' };
  const prefixes = plan.alternativeNames.map(({ type, value }) => ({ label: labels[type], value }));
  const entries = found === undefined ? [] : found.split(', ');
  demand(entries.length === prefixes.length, `the alternative names are ${found}`);
  for (const [index, { label, value }] of prefixes.entries()) {
    const entry = entries[index] ?? '';
    // An IPv6 address is printed in another spelling than it was asked for; that it is an address is all to check.
    const matches = label === 'IP Address' ? entry.startsWith(`${label}:`) : entry === `${label}:${value}`;
    demand(matches, `the alternative name ${entry} stands for ${value}`);
  }
}

function lintValidity(profile: ProfileName, certificate: X509Certificate, limits: LintLimits): void {
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  demand(from < to, 'it ends before it begins');
  demand(from >= limits.notBeforeMs && to <= limits.notAfterMs, "its validity is not within its issuer's");
  demand(to - from <= DAYS_MAX[profile] * DAY_MS, `it lasts longer than a ${profile} may`);
}

function lintKey(profile: ProfileName, certificate: X509Certificate): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
  const bits = details?.modulusLength ?? 0;
  const isCurve = type === 'ec' && KEYS[profile].curves.includes(details?.namedCurve ?? '');
  const isRsa = type === 'rsa' && KEYS[profile].rsa && bits >= RSA_BITS.min && bits <= RSA_BITS.max;
  demand(isCurve || isRsa, `its key is of a type or size we do not certify for a ${profile}`);
}

function demand(holds: boolean, why: string): void {
  if (!holds) throw new AuthorityFault('MOT-0434', why);
}

const DAY_MS = 86_400_000;
