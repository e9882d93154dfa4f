// What the authority and its clients say to one another about enrolment: tokens, requests that wait for approval, renewal.

import type { IssuedDevice } from './results.ts';

export interface EnrolledDevice extends IssuedDevice {
  /** What it may do, as whoever let it in decided. */
  readonly roles: readonly string[];
}

/** `expired`: its certificate has ended. `new-key`: nothing but the broker's word says that the old key asks. */
export type RequestKind = 'join' | 'expired' | 'new-key';

/** A certificate, or that somebody has to approve it first; asking again with the same key tells when. */
export type EnrolAnswer =
  | { readonly state: 'issued'; readonly device: EnrolledDevice }
  | {
      readonly state: 'waiting';
      readonly id: string;
      readonly kind: RequestKind;
      readonly name: string;
      readonly fingerprint: string;
    };

export interface NewToken {
  readonly name: string;
  readonly roles: readonly string[];
  /** 128 random bits, base64url; nowhere else and never again. */
  readonly secret: string;
  /** ISO 8601. */
  readonly endsAt: string;
  /** The CA's, SHA-256, lower-case hex. */
  readonly fingerprint: string;
}

export interface TokenRow {
  readonly name: string;
  readonly roles: readonly string[];
  readonly endsAt: string;
  readonly state: 'open' | 'redeemed' | 'dead' | 'ended';
  readonly wrongTries: number;
}

export interface RequestRow {
  readonly id: string;
  readonly kind: RequestKind;
  readonly name: string;
  readonly roles: readonly string[];
  readonly askedAt: string;
  readonly state: 'waiting' | 'approved' | 'denied';
  /** SHA-256 of the public key's SubjectPublicKeyInfo, lower-case hex: the device shows the same. */
  readonly fingerprint: string;
}

export interface EnrolmentList {
  /** The first of them, in the order of their making. */
  readonly tokens: readonly TokenRow[];
  readonly requests: readonly RequestRow[];
  /** Until when devices may ask without a token; empty while they may not. */
  readonly joinUntil: string;
}

/** Whether there is anything for which the enrolment listener has to be open. */
export interface EnrolmentState {
  /** Another one whenever `open` or `why` changed. */
  readonly number: number;
  readonly open: boolean;
  /** For people: what it is open for. */
  readonly why: string;
}

/** Asked by administrators. Roles stand one behind the other, separated by spaces. */
export interface EnrolmentAuthorityMethods {
  /** An earlier token for the name is void. */
  'token.add': { params: { name: string; roles: string; seconds: number }; result: NewToken };
  /** Lets devices ask without a token for so long; 0 ends it. */
  'join.open': { params: { roles: string; seconds: number }; result: { endsAt: string } };
  'enrolment.list': { params: Record<never, never>; result: EnrolmentList };
  /** By id, or by a name that only one request has; MOT-0447. Issues nothing: the device fetches it. */
  'request.approve': { params: { request: string }; result: RequestRow };
  /** The same; a token of that name that nobody redeemed is void as well. */
  'request.deny': { params: { request: string }; result: { denied: number; voided: boolean } };
}

/** Asked by the broker; each gives a certificate only for what an administrator or the old key has said. */
export interface EnrolmentBrokerMethods {
  /** Answers when the state is another than `number`, or after a while. */
  'enrolment.watch': { params: { number: number }; result: EnrolmentState };
  /** `token` is the whole token, or NAME:SECRET. */
  'token.redeem': { params: { token: string; csr: string }; result: EnrolledDevice };
  'request.ask': { params: { name: string; csr: string }; result: EnrolAnswer };
  /** `proof`: the old key's signature over `renewalText(csr)`, base64; empty where the request is of the same key. */
  'device.renew': { params: { certificate: string; csr: string; proof: string }; result: EnrolAnswer };
}

/** What the old key signs to prove a renewal; begins with words that nothing else signs. */
export function renewalText(csr: string): string {
  return `motte renewal 1\n${csr}`;
}
