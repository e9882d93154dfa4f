// Explains why a TLS handshake failed. OpenSSL's codes in, one sentence for the operator out; and what the peer saw of it,
// which is often no more than a closed connection.

import type { ProvenKey } from '../ports/psk.ts';
import { CLOSED, type TransportRefusal } from './arrivals.ts';
import { canUse, P256_KEY, RSA_KEY } from './certificate-choice.ts';
import type { ClientHello } from './client-hello.ts';
import { explainPskFailure } from './psk-refusal.ts';

export interface TlsFailure {
  /** `code` of the error that ended the handshake. */
  readonly code: string;
  readonly message: string;
  /** What is wrong with the client's certificate, as OpenSSL calls it. */
  readonly certificate: string | undefined;
  readonly hello: ClientHello | undefined;
  /** True if the listener has an RSA certificate as well. */
  readonly hasRsa: boolean;
  /** On a listener for pre-shared keys: the key that was asked for, if it came to that. */
  readonly psk?: { readonly asked: ProvenKey | undefined } | undefined;
}

/** A refusal for every failure, or undefined if the peer just went away before it could be refused. */
export function explainTlsFailure(failure: TlsFailure): TransportRefusal | undefined {
  const { code, certificate, hello } = failure;
  if (certificate !== undefined) return refuseCertificate(certificate);
  const keyRefusal = failure.psk === undefined ? undefined : explainPskFailure(code, failure.psk.asked);
  if (keyRefusal !== undefined) return keyRefusal;
  const version13 = hello?.versions.includes(TLS13) === true;
  switch (code) {
    case 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE':
      return {
        reason: 'not-authorized',
        because: 'the client has no certificate; this listener demands one',
        rule: 'listeners.authentication',
        seen: version13 ? 'TLS alert 116, certificate required, on its first read' : 'TLS alert 40, handshake failure',
      };
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_VERSION_TOO_LOW':
      return {
        reason: 'protocol-error',
        because: `the client offers ${versionNames(hello)} only; TLS 1.2 is the least that is taken`,
        rule: 'tls.minVersion',
        seen: 'TLS alert 70, protocol version',
      };
    case 'ERR_SSL_NO_APPLICATION_PROTOCOL':
      return {
        reason: 'protocol-error',
        because: `the client asks for a protocol that is not spoken here (ALPN): ${protocolsOf(hello)}`,
        rule: 'listeners.alpn',
        seen: 'TLS alert 120, no application protocol',
      };
    case 'ERR_SSL_NO_SHARED_CIPHER':
    case 'ERR_SSL_NO_SUITABLE_KEY_SHARE':
    case 'ERR_SSL_NO_SUITABLE_GROUPS':
    case 'ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS':
    case 'ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM':
      if (hello !== undefined && !failure.hasRsa && needsRsa(hello)) {
        return {
          reason: 'protocol-error',
          because: 'the client can use RSA certificates only, and there is none for it',
          rule: 'tls.rsa',
          seen: 'TLS alert 40, handshake failure',
        };
      }
      return {
        reason: 'protocol-error',
        because: `no cipher suite or group in common; the client offers ${versionNames(hello)}, suites ${suiteNames(hello)}`,
        rule: 'tls',
        seen: 'TLS alert 40, handshake failure',
      };
    case 'ERR_TLS_HANDSHAKE_TIMEOUT':
      return {
        reason: 'unspecified-error',
        because: 'the TLS handshake took too long',
        rule: 'limits.handshakeDeadlineMs',
        seen: CLOSED,
      };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_SSL_UNEXPECTED_EOF_WHILE_READING':
      return {
        reason: 'unspecified-error',
        because:
          'the client ended the TLS handshake without a word; one that does not trust the server certificate does so',
        rule: 'tls',
        seen: 'nothing: it closed the connection itself',
      };
    default:
      return explainAlert(code) ?? unexplained(failure);
  }
}

function refuseCertificate(code: string): TransportRefusal {
  const because = CERTIFICATE_ERRORS.get(code) ?? `the client's certificate was refused: ${code}`;
  return { reason: 'not-authorized', because, rule: 'tls.clientCa', seen: CLOSED };
}

/** Alerts that the client sent; it was the one that ended the handshake. */
function explainAlert(code: string): TransportRefusal | undefined {
  const match = /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3)_ALERT_(.+)$/.exec(code);
  if (match === null) return undefined;
  const alert = (match[1] as string).toLowerCase().replaceAll('_', ' ');
  const trust = /unknown ca|bad certificate|certificate (unknown|expired|revoked)|unsupported certificate/.test(alert);
  const because = trust
    ? `the client does not trust the server certificate (it said: ${alert}); it needs ca.crt, and the name it connects to must stand in the certificate`
    : `the client ended the TLS handshake (it said: ${alert})`;
  return { reason: 'unspecified-error', because, rule: 'tls', seen: 'nothing: it ended the handshake itself' };
}

function unexplained({ code, message }: TlsFailure): TransportRefusal {
  // OpenSSL's own words stand behind the fourth colon: `…:error:0A000119:SSL routines:ssl3_get_record:wrong version…`.
  const words = /error:[0-9A-F]+:[^:]*:[^:]*:([ -~]{1,80})/.exec(message)?.[1]?.split(':')[0] ?? code;
  return {
    reason: 'protocol-error',
    because: `the TLS handshake failed: ${words.trim()}`,
    rule: 'tls',
    seen: 'a TLS alert',
  };
}

/** True if an RSA certificate is what is missing. */
function needsRsa(hello: ClientHello): boolean {
  return canUse(hello, RSA_KEY) && !canUse(hello, P256_KEY);
}

/** The peer's own text: shortened, and never a control character. */
function protocolsOf(hello: ClientHello | undefined): string {
  const names = (hello?.alpn ?? []).slice(0, PROTOCOLS_SHOWN).map((name) => name.replace(/[^!-~]/g, '?'));
  return names.map((name) => name.slice(0, PROTOCOL_SHOWN)).join(', ');
}

function versionNames(hello: ClientHello | undefined): string {
  const names = (hello?.versions ?? []).flatMap((version) => VERSION_NAMES.get(version) ?? []);
  return names.length === 0 ? 'no version of TLS that is known here' : names.join(', ');
}

function suiteNames(hello: ClientHello | undefined): string {
  const suites = hello?.cipherSuites ?? [];
  const shown = suites.slice(0, SUITES_SHOWN).map((suite) => `0x${suite.toString(16).padStart(4, '0')}`);
  return `${shown.join(' ')}${suites.length > SUITES_SHOWN ? ' …' : ''}`;
}

const TLS13 = 0x0304;
const SUITES_SHOWN = 8;
const PROTOCOLS_SHOWN = 4;
const PROTOCOL_SHOWN = 40;

const VERSION_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0300, 'SSL 3.0'],
  [0x0301, 'TLS 1.0'],
  [0x0302, 'TLS 1.1'],
  [0x0303, 'TLS 1.2'],
  [TLS13, 'TLS 1.3'],
]);

const FOREIGN = 'a foreign certificate: its issuer is none that this listener trusts';

/** By the names that Node gives to OpenSSL's results of verification. */
const CERTIFICATE_ERRORS: ReadonlyMap<string, string> = new Map([
  ['UNABLE_TO_GET_ISSUER_CERT', FOREIGN],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', FOREIGN],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', FOREIGN],
  ['SELF_SIGNED_CERT_IN_CHAIN', FOREIGN],
  ['CERT_UNTRUSTED', FOREIGN],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'a self-signed certificate: it was issued by no CA at all'],
  ['CERT_SIGNATURE_FAILURE', 'a foreign certificate: it names our issuer but is not signed by it'],
  ['CERT_HAS_EXPIRED', "the client's certificate has expired"],
  ['CERT_NOT_YET_VALID', "the client's certificate is not yet valid"],
  ['INVALID_PURPOSE', 'a certificate for another purpose: its extended key usage does not allow clients'],
  ['INVALID_CA', 'a certificate issued by something that is no CA'],
  ['EE_KEY_TOO_SMALL', "the key of the client's certificate is too small"],
  ['CA_KEY_TOO_SMALL', 'the key of the CA is too small'],
  ['CA_MD_TOO_WEAK', "the signature of the client's certificate uses a digest that is too weak"],
]);
