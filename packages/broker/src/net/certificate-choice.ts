// Which server certificate a client is shown, decided by its ClientHello: the name it asks for (RFC 6066, 3), then the kind of
// key it can use. Selects a certificate and nothing else: whom the listener trusts does not depend on it.

import { X509Certificate } from 'node:crypto';
import type { FurtherCertificate } from '../ports/config.ts';
import type { ClientHello } from './client-hello.ts';

/** What is known of a certificate before anybody asks for it. */
export interface Candidate {
  /** True for a host name that it is shown for. */
  readonly answersTo: (serverName: string) => boolean;
  readonly key: KeyKind;
}

/** Reads a certificate; throws what X509Certificate throws. */
export function candidateOf({ cert, names }: Pick<FurtherCertificate, 'cert' | 'names'>): Candidate {
  const leaf = new X509Certificate(cert);
  const { asymmetricKeyType = '', asymmetricKeyDetails } = leaf.publicKey;
  const key = KEY_KINDS.get(asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType) ?? ANY_KEY;
  const stated = (serverName: string) => leaf.checkHost(serverName, { subject: 'never' }) !== undefined;
  return {
    key,
    answersTo: names === undefined ? stated : (serverName) => names.some((name) => fits(name, serverName)),
  };
}

/** The index of the candidate to show; the first is the default. */
export function chooseCertificate(hello: ClientHello | undefined, candidates: readonly Candidate[]): number {
  if (hello === undefined || candidates.length < 2) return 0;
  const { serverName } = hello;
  const all = candidates.map((_, index) => index);
  const named = serverName === undefined ? [] : all.filter((index) => candidates[index]?.answersTo(serverName));
  const usable = (index: number) => canUse(hello, (candidates[index] as Candidate).key);
  // With a certificate of the wrong kind no handshake ends well; with one of another name it may.
  return named.find(usable) ?? all.find(usable) ?? named[0] ?? 0;
}

/** True if a client can work with a certificate that has a key of this kind, in some version of TLS that we speak. */
export function canUse(hello: ClientHello, key: KeyKind): boolean {
  const { versions, cipherSuites, signatures, groups } = hello;
  // Whoever offers TLS 1.3 gets it: what would do in TLS 1.2 is of no use then.
  if (versions.includes(TLS13)) return signatures.some((scheme) => key.signatures13.includes(scheme));
  if (!versions.includes(TLS12) || !cipherSuites.some((suite) => key.suites12.includes(suite))) return false;
  if (key.group !== undefined && groups.length > 0 && !groups.includes(key.group)) return false;
  return signatures.length === 0 || signatures.some((scheme) => key.signatures12.includes(scheme));
}

/** `*.plant.example` is for one label in place of the star. */
function fits(name: string, serverName: string): boolean {
  const [wanted, asked] = [name.toLowerCase(), serverName.toLowerCase()];
  if (!wanted.startsWith('*.')) return wanted === asked;
  const dot = asked.indexOf('.');
  return dot > 0 && asked.slice(dot) === wanted.slice(1);
}

/** What a client has to offer to use a key: RFC 8446 4.2.3, RFC 5246 7.4.1.4.1, and the suites that are spoken here. */
export interface KeyKind {
  readonly signatures13: readonly number[];
  readonly signatures12: readonly number[];
  readonly suites12: readonly number[];
  /** The curve of the key itself, which a client of TLS 1.2 has to know as well. */
  readonly group?: number;
}

const TLS12 = 0x0303;
const TLS13 = 0x0304;
const ECDSA_SUITES = [0xc02b, 0xc02c, 0xcca9];
const ECDSA = [0x0403, 0x0503, 0x0603];

export const P256_KEY: KeyKind = {
  signatures13: [0x0403],
  signatures12: ECDSA,
  suites12: ECDSA_SUITES,
  group: 23,
};
export const RSA_KEY: KeyKind = {
  signatures13: [0x0804, 0x0805, 0x0806],
  signatures12: [0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806],
  suites12: [0xc02f, 0xc030, 0xcca8],
};
const ANY_KEY: KeyKind = {
  signatures13: [...ECDSA, ...RSA_KEY.signatures13, 0x0807],
  signatures12: [...ECDSA, ...RSA_KEY.signatures12, 0x0807],
  suites12: [...ECDSA_SUITES, ...RSA_KEY.suites12],
};

/** By the name of the curve, or of the kind of key where there is none. */
const KEY_KINDS: ReadonlyMap<string, KeyKind> = new Map<string, KeyKind>([
  ['prime256v1', P256_KEY],
  ['secp384r1', { signatures13: [0x0503], signatures12: ECDSA, suites12: ECDSA_SUITES, group: 24 }],
  ['secp521r1', { signatures13: [0x0603], signatures12: ECDSA, suites12: ECDSA_SUITES, group: 25 }],
  ['ed25519', { signatures13: [0x0807], signatures12: [0x0807], suites12: ECDSA_SUITES }],
  ['rsa', RSA_KEY],
]);

/** Stands where there is no certificate to choose. */
export const ANYBODY: Candidate = { key: ANY_KEY, answersTo: () => true };
