// What may be asked of the authority on each of its two sockets, and the parser of untrusted requests and answers.
// A request is {id, method, params}, an answer {id, result} or {id, error: {code, why}}; a field not named here is refused.

import type { EnrolmentAuthorityMethods, EnrolmentBrokerMethods } from './enrolment.ts';
import { AuthorityFault, type AuthorityFaultCode, isAuthorityFaultCode } from './faults.ts';

export interface CaInfo {
  /** SHA-256 of the root certificate's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly realm: string;
  readonly root: CertificateFacts;
  readonly issuing: CertificateFacts;
  /** Devices that have at least one certificate. */
  readonly devices: number;
}

/** Where a CA key is: readable in its file, in its file under a passphrase, or behind the signer. */
export type KeyPlace = 'file' | 'passphrase' | 'signer';

/** One root and its issuing CA. */
export interface CaGeneration {
  /** SHA-256 of the root certificate's DER, lower-case hex. */
  readonly fingerprint: string;
  readonly root: CertificateFacts;
  readonly issuing: CertificateFacts;
  readonly rootKey: KeyPlace;
  readonly issuingKey: KeyPlace;
}

export interface CaDetails {
  readonly realm: string;
  /** Certifies devices. */
  readonly current: CaGeneration;
  /** The one it replaces, with how many devices have not moved yet; it certifies the broker until that is finished. */
  readonly old: (CaGeneration & { readonly until: string; readonly unmoved: number }) | null;
  /** Certificates ever issued. */
  readonly issued: number;
  readonly devices: number;
}

export interface CertificateFacts {
  readonly subject: string;
  /** `P-256`. */
  readonly keyType: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

export interface IssuedDevice {
  readonly name: string;
  readonly realm: string;
  /** The leaf, PEM. */
  readonly certificate: string;
  /** The issuing CA, PEM: for who verifies the certificate with the root alone. The broker knows it. */
  readonly issuing: string;
  /** The root, PEM: the device's `ca.crt`; two while the CA is being replaced. */
  readonly root: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** SHA-256 of the leaf's DER, lower-case hex. */
  readonly fingerprint: string;
}

export interface IssuedServer {
  readonly certificate: string;
  readonly issuing: string;
  readonly serial: string;
  readonly notAfter: string;
}

export interface TrustMaterial {
  /** PEM; while the CA is being replaced two of each, that of the broker's own certificate first. */
  readonly root: string;
  readonly issuing: string;
  /** The issuing CA that certifies the broker. */
  readonly serverIssuing: string;
  /** Of the root that the broker's own certificate leads to. */
  readonly fingerprint: string;
  /** Of every root that is trusted, that one first. */
  readonly trusted: readonly string[];
  readonly realm: string;
  /** While the CA is being replaced. */
  readonly overlap: { readonly until: string; readonly unmoved: number } | null;
}

/** One device and its latest certificate; times are ISO 8601. */
export interface DeviceSummary {
  readonly name: string;
  readonly serial: string;
  readonly fingerprint: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly issuedAt: string;
  /** Absent while it is not revoked. */
  readonly revokedAt?: string;
  /** Certificates ever issued under this name. */
  readonly certificates: number;
}

export interface DeviceDetails extends DeviceSummary {
  readonly realm: string;
  readonly certificate: string;
  /** The newest first, the latest included; at most 20. */
  readonly history: readonly { serial: string; notAfter: string; issuedAt: string; revokedAt?: string }[];
}

export interface RevokedDevice {
  readonly name: string;
  /** What was revoked now, lower-case hex; not what had been before. */
  readonly serials: readonly string[];
  /** Certificates of the device that are good all the same: by those it can still come. */
  readonly good: number;
  /** Who has read the feed up to this number knows of all of them. */
  readonly number: number;
}

export interface RevocationNews {
  /** How many revocations there ever were; to be asked with next. */
  readonly number: number;
  /** `superseded`: the device has another certificate instead. */
  readonly revoked: readonly { readonly serial: string; readonly name: string; readonly superseded: boolean }[];
  /** True if there are more behind these already. */
  readonly more: boolean;
}

/** Asked by administrators on authority.sock. */
export interface AuthorityMethods extends EnrolmentAuthorityMethods {
  'ca.info': { params: Record<never, never>; result: CaInfo };
  'ca.show': { params: Record<never, never>; result: CaDetails };
  /** `overlap` is a duration: 30d. */
  'ca.rotate': { params: { overlap: string }; result: CaDetails };
  'ca.finish': { params: { force: boolean }; result: CaDetails };
  /** A page of names; ask again with the last one while `more`. */
  'ca.unmoved': { params: { after: string }; result: { names: readonly string[]; more: boolean } };
  /** `profile`: device, gateway or steward; empty = as it was certified before, else a device. */
  'device.issue': {
    params: { name: string; csr: string; force: boolean; profile: string };
    result: IssuedDevice;
  };
  /** A page in the order of names; ask again with the last name while `more`. */
  'device.list': { params: { after: string }; result: { devices: readonly DeviceSummary[]; more: boolean } };
  'device.show': { params: { name: string }; result: DeviceDetails };
  /** All its certificates that are good, or the one with this serial number, or all but one; empty = not said. */
  'device.revoke': {
    params: { name: string; serial: string; except: string; reason: string };
    result: RevokedDevice;
  };
  /** The revocation list, PEM, in pieces: ask again with the number and where it goes on while `more`. */
  'ca.crl': { params: { number: number; at: number }; result: { number: number; pem: string; more: boolean } };
  /** Recipients stand one behind the other, separated by spaces; without any the passphrase counts. Ends an earlier backup. */
  'backup.begin': { params: { id: string; recipients: string; passphrase: string }; result: Record<never, never> };
  /** The next bytes of the encrypted part; empty = that was all. */
  'backup.read': { params: { id: string }; result: { base64: string } };
}

/** Asked by the broker on broker.sock; those of enrolment apart, none yields a certificate that proves an identity. */
export interface BrokerMethods extends EnrolmentBrokerMethods {
  'server.issue': { params: { csr: string }; result: IssuedServer };
  'trust.read': { params: Record<never, never>; result: TrustMaterial };
  /** Revocations behind the first `after`; with `wait` not before there is one, or a few seconds have passed. */
  'revocation.read': { params: { after: number; wait: boolean }; result: RevocationNews };
}

export type Methods = AuthorityMethods & BrokerMethods;
export type Method = keyof Methods;

export type Request = { [M in Method]: { id: number; method: M; params: Methods[M]['params'] } }[Method];

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: AuthorityFaultCode; readonly why: string } };

/** A number is a whole one from 0. */
type Field = { readonly kind: 'string' | 'boolean' | 'number'; readonly otherwise?: string | boolean | number };

/** Each method: the one socket it is answered on, and its parameters; `otherwise` makes one optional. */
export const METHODS = {
  'ca.info': { socket: 'authority', params: {} },
  'ca.show': { socket: 'authority', params: {} },
  'ca.rotate': { socket: 'authority', params: { overlap: { kind: 'string' } } },
  'ca.finish': { socket: 'authority', params: { force: { kind: 'boolean', otherwise: false } } },
  'ca.unmoved': { socket: 'authority', params: { after: { kind: 'string', otherwise: '' } } },
  'device.issue': {
    socket: 'authority',
    params: {
      name: { kind: 'string' },
      csr: { kind: 'string' },
      force: { kind: 'boolean', otherwise: false },
      profile: { kind: 'string', otherwise: '' },
    },
  },
  'device.list': { socket: 'authority', params: { after: { kind: 'string', otherwise: '' } } },
  'device.show': { socket: 'authority', params: { name: { kind: 'string' } } },
  'device.revoke': {
    socket: 'authority',
    params: {
      name: { kind: 'string' },
      serial: { kind: 'string', otherwise: '' },
      except: { kind: 'string', otherwise: '' },
      reason: { kind: 'string', otherwise: 'unspecified' },
    },
  },
  'ca.crl': {
    socket: 'authority',
    params: { number: { kind: 'number', otherwise: 0 }, at: { kind: 'number', otherwise: 0 } },
  },
  'backup.begin': {
    socket: 'authority',
    params: {
      id: { kind: 'string' },
      recipients: { kind: 'string', otherwise: '' },
      passphrase: { kind: 'string', otherwise: '' },
    },
  },
  'backup.read': { socket: 'authority', params: { id: { kind: 'string' } } },
  'token.add': {
    socket: 'authority',
    params: { name: { kind: 'string' }, roles: { kind: 'string' }, seconds: { kind: 'number' } },
  },
  'join.open': { socket: 'authority', params: { roles: { kind: 'string' }, seconds: { kind: 'number' } } },
  'enrolment.list': { socket: 'authority', params: {} },
  'request.approve': { socket: 'authority', params: { request: { kind: 'string' } } },
  'request.deny': { socket: 'authority', params: { request: { kind: 'string' } } },
  'enrolment.watch': { socket: 'broker', params: { number: { kind: 'number' } } },
  'token.redeem': { socket: 'broker', params: { token: { kind: 'string' }, csr: { kind: 'string' } } },
  'request.ask': { socket: 'broker', params: { name: { kind: 'string' }, csr: { kind: 'string' } } },
  'device.renew': {
    socket: 'broker',
    params: { certificate: { kind: 'string' }, csr: { kind: 'string' }, proof: { kind: 'string', otherwise: '' } },
  },
  'server.issue': { socket: 'broker', params: { csr: { kind: 'string' } } },
  'trust.read': { socket: 'broker', params: {} },
  'revocation.read': {
    socket: 'broker',
    params: { after: { kind: 'number' }, wait: { kind: 'boolean', otherwise: false } },
  },
} as const satisfies Record<Method, { socket: 'authority' | 'broker'; params: Record<string, Field> }>;

const ID_MAX = 2 ** 31 - 1;

/** Parses one line as a request; throws MOT-0426 for whatever is not exactly one. */
export function parseRequest(line: string): Request {
  const document = parseObject(line);
  refuseUnknown(document, ['id', 'method', 'params']);
  const { id, method, params } = document as { id?: unknown; method?: unknown; params?: unknown };
  if (!isId(id)) throw refused('id is not a whole number from 0');
  if (typeof method !== 'string' || !Object.hasOwn(METHODS, method)) throw refused('no such method');
  const fields: Record<string, Field> = METHODS[method as Method].params;
  return { id, method, params: parseParams(fields, params ?? {}) } as Request;
}

/** Parses one line as an answer; the result itself is the authority's word and is not looked into. */
export function parseAnswer(line: string): Answer {
  const document = parseObject(line) as { id?: unknown; result?: unknown; error?: unknown };
  refuseUnknown(document, ['id', 'result', 'error']);
  const { id, result, error } = document;
  if (!isId(id)) throw refused('an answer without id');
  if (error === undefined) return { id, result };
  const { code, why } = isObject(error) ? (error as { code?: unknown; why?: unknown }) : {};
  if (!isAuthorityFaultCode(code) || typeof why !== 'string') throw refused('an error without code or reason');
  return { id, error: { code, why } };
}

function parseParams(fields: Record<string, Field>, params: unknown): Record<string, unknown> {
  if (!isObject(params)) throw refused('params is not an object');
  refuseUnknown(params, Object.keys(fields));
  const parsed: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = Object.hasOwn(params, name) ? params[name] : field.otherwise;
    if (typeof value !== field.kind) throw refused(`${name} is not a ${field.kind}`);
    if (typeof value === 'number' && !isCount(value)) throw refused(`${name} is not a whole number from 0`);
    parsed[name] = value;
  }
  return parsed;
}

function parseObject(line: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    throw refused('not JSON');
  }
  if (!isObject(document)) throw refused('not an object');
  return document;
}

function refuseUnknown(object: object, known: readonly string[]): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refused(`unknown field ${JSON.stringify(unknown.slice(0, 40))}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= ID_MAX;
}

function refused(why: string): AuthorityFault {
  return new AuthorityFault('MOT-0426', why);
}
