// Guards decide. Any deny wins, undefined is silence, all silent is deny, throwing or timing out is deny.

import type { ConnectionFacts } from './connection-facts.ts';
import type { Identity } from './identity.ts';
import type { Assess } from './posture.ts';
import type { CertificateId, CertificateInUse } from './trust.ts';
import type { Refusal, Verdict } from './verdict.ts';

/** What a CONNECT brings along to prove who is behind it. */
export interface Evidence {
  readonly facts: ConnectionFacts;
  readonly clientId: string;
  readonly userName: string | undefined;
  readonly password: Uint8Array | undefined;
  /** MQTT 5.0 enhanced authentication (4.12); undefined without an Authentication Method. */
  readonly method: string | undefined;
  readonly data: Uint8Array | undefined;
}

export interface Proven {
  readonly allow: true;
  readonly identity: Identity;
  /** The last Authentication Data for the CONNACK or AUTH, if the method has one. */
  readonly data: Uint8Array | undefined;
  /** Wall-clock time in ms at which the proof ends and the connection with it; 0 = never. */
  readonly expiresAtMs: number;
  /** The identifier of the token that proved it, if a token did and has one: by it a live connection is found again. */
  readonly token?: string;
}

/** One more round of AUTH (4.12): send `data`, then hand the client's answer to `respond`. */
export interface Challenge {
  readonly allow: 'challenge';
  readonly data: Uint8Array | undefined;
  respond(data: Uint8Array | undefined): Promise<Authentication>;
}

export type Authentication = Proven | Challenge | Refusal;

/** Why somebody who is in no registry can be proven no more, as by an issuer that is gone; undefined = he can. */
export type CheckOutsider = (
  who: Pick<Identity, 'realm' | 'name'> & { readonly token?: string },
) => Refusal | undefined;

/** A connection, or a session, whose proof does not hold any more. */
export interface Fallen {
  readonly refusal: Refusal;
  /** True if only this certificate is gone: another one may find the session. */
  readonly superseded: boolean;
}

export interface Guards {
  /** Once it is proven who comes: is the way it comes good enough? Without it every way is. */
  readonly assess?: Assess;
  /** Synchronous, before TLS: may this source be talked to at all? */
  admit(facts: ConnectionFacts): Verdict | undefined;
  /** Proves the identity behind a CONNECT or a re-authentication; 5 s deadline, bounded number at once. */
  authenticate(evidence: Evidence): Promise<Authentication>;
  /**
   * Synchronous: whether what proved a connection still holds, a token by its identifier; undefined = it does. Absent = it
   * always does.
   */
  standing?(facts: ConnectionFacts, identity: Identity, token?: string): Fallen | undefined;
  /** What proved a connection, if a certificate did. Absent = none ever does. */
  certificateOf?(facts: ConnectionFacts): CertificateInUse | undefined;
  /** Synchronous: whether a certificate that proved this identity once was taken back since; undefined = it was not. */
  takenBack?(identity: Pick<Identity, 'realm' | 'name'>, certificate: CertificateId): Fallen | undefined;
}
