// The certificate that a TLS client showed, as it came. Node's own way to it, getPeerX509Certificate, has OpenSSL decode
// certificate and key a second time, which is an eighth of what a handshake costs; the session that OpenSSL keeps for
// the connection holds the same bytes (decision 0008). Reads bytes only: what the certificate proves is identity's business.

import type { TLSSocket } from 'node:tls';

/** DER of the client's certificate, on a full and on a resumed handshake alike; undefined = it showed none. */
export function peerCertificate(socket: TLSSocket): Uint8Array | undefined {
  const session = socket.getSession();
  if (session === undefined) return socket.getPeerX509Certificate()?.raw;
  const certificate = certificateOf(session);
  // It holds the secret that the connection's keys come from.
  session.fill(0);
  return certificate ?? socket.getPeerX509Certificate()?.raw;
}

/**
 * The peer's certificate in an SSL_SESSION as OpenSSL encodes it (SSL_SESSION_ASN1 in ssl/ssl_asn1.c: field [3]); undefined
 * if there is none or the encoding is not the one we know.
 */
export function certificateOf(session: Uint8Array): Uint8Array | undefined {
  const whole = elementAt(session, 0, session.length);
  if (whole === undefined || whole.tag !== SEQUENCE) return undefined;
  let at = whole.from;
  while (at < whole.to) {
    const element = elementAt(session, at, whole.to);
    if (element === undefined || element.tag > PEER) return undefined;
    if (element.tag === PEER) {
      const inner = elementAt(session, element.from, element.to);
      if (inner === undefined || inner.tag !== SEQUENCE || inner.to !== element.to) return undefined;
      return Uint8Array.prototype.slice.call(session, element.from, element.to);
    }
    at = element.to;
  }
  return undefined;
}

interface Element {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
}

/** One DER element with a definite length of at most three bytes; undefined if it does not end within `end`. */
function elementAt(bytes: Uint8Array, at: number, end: number): Element | undefined {
  const tag = bytes[at] as number;
  const first = bytes[at + 1] ?? INDEFINITE;
  let from = at + 2;
  let length = first;
  if (first >= INDEFINITE) {
    const count = first & 0x7f;
    if (count === 0 || count > 3) return undefined;
    length = 0;
    for (const last = from + count; from < last; from++) length = length * 256 + (bytes[from] ?? 0);
  }
  const to = from + length;
  return to > end ? undefined : { tag, from, to };
}

const SEQUENCE = 0x30;
/** [3], constructed. */
const PEER = 0xa3;
const INDEFINITE = 0x80;
