// What the enrolment listener asks of whoever stands between it and the authority. Answers are values: what a peer asked
// for is refused as ordinary work. `because` is for the operator; the peer never sees it.

export interface Enrolled {
  readonly name: string;
  readonly roles: readonly string[];
  /** PEM: the leaf, the CA that issued it, the root. */
  readonly certificate: string;
  readonly issuing: string;
  readonly root: string;
  readonly notAfter: string;
}

export type EnrolOutcome =
  | { readonly state: 'issued'; readonly device: Enrolled }
  /** Somebody has to approve it; the fingerprint is that of the key, SHA-256, lower-case hex. */
  | { readonly state: 'waiting'; readonly name: string; readonly id: string; readonly fingerprint: string }
  | { readonly state: 'refused'; readonly because: string; readonly rule: string }
  /** The certificate request cannot be used; told to the peer, who has been let in so far. */
  | { readonly state: 'unusable'; readonly because: string }
  | { readonly state: 'busy'; readonly because: string };

export interface EnrolDesk {
  /** The root that the broker's own certificate leads to, PEM. */
  readonly root: string;
  /** Every root that devices may come from, PEM; two while the CA is being replaced. */
  readonly roots: string;
  redeem(request: { readonly token: string; readonly csr: string }): Promise<EnrolOutcome>;
  ask(request: { readonly name: string; readonly csr: string }): Promise<EnrolOutcome>;
  /** `certificate` was shown in a full handshake, PEM; who checks it is the desk. */
  renew(request: { readonly certificate: string; readonly csr: string; readonly proof: string }): Promise<EnrolOutcome>;
  /** Root and issuing CA as a certs-only message, DER. */
  caCerts(): Promise<Buffer>;
  /** One certificate as a certs-only message, DER. */
  certsOnly(pem: string): Promise<Buffer>;
}

/** A request that got no certificate, for `motte why`. */
export interface EnrolRefusal {
  readonly address: string;
  readonly because: string;
  readonly rule: string;
  readonly seen: string;
  readonly name: string;
}
