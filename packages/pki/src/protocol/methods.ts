// What may be asked of the authority on each of its two sockets: parameters and results of every method.

import type { EnrolmentAuthorityMethods, EnrolmentBrokerMethods } from './enrolment.ts';
import type {
  CaDetails,
  CaInfo,
  DeviceDetails,
  DeviceSummary,
  EndingDevices,
  IssuedDevice,
  IssuedServer,
  RevocationNews,
  RevokedDevice,
  TrustMaterial,
} from './results.ts';

/** Asked by administrators on authority.sock. */
export interface AuthorityMethods extends EnrolmentAuthorityMethods {
  'ca.info': { params: Record<never, never>; result: CaInfo };
  'ca.show': { params: Record<never, never>; result: CaDetails };
  /** `overlap` is a duration: 30d. */
  'ca.rotate': { params: { overlap: string }; result: CaDetails };
  'ca.finish': { params: { force: boolean }; result: CaDetails };
  /** A page of names; ask again with the last one while `more`. */
  'ca.unmoved': { params: { after: string }; result: { names: readonly string[]; more: boolean } };
  /** `profile`: device, gateway, steward or administrator; empty = as it was certified before, else a device. */
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
  /** Devices whose latest certificate ends within so many days, the first ones first. */
  'device.ending': { params: { days: number }; result: EndingDevices };
  /** Revocations behind the first `after`; with `wait` not before there is one, or a few seconds have passed. */
  'revocation.read': { params: { after: number; wait: boolean }; result: RevocationNews };
}

export type Methods = AuthorityMethods & BrokerMethods;
export type Method = keyof Methods;

/** A number is a whole one from 0. */
export type Field = { readonly kind: 'string' | 'boolean' | 'number'; readonly otherwise?: string | boolean | number };

/**
 * Each method: the one socket it is answered on, and its parameters; `otherwise` makes one optional. What is `dated` writes or
 * judges dates, and is refused while nobody knows what time it is.
 */
export const METHODS = {
  'ca.info': { socket: 'authority', params: {} },
  'ca.show': { socket: 'authority', params: {} },
  'ca.rotate': { socket: 'authority', dated: true, params: { overlap: { kind: 'string' } } },
  'ca.finish': { socket: 'authority', params: { force: { kind: 'boolean', otherwise: false } } },
  'ca.unmoved': { socket: 'authority', params: { after: { kind: 'string', otherwise: '' } } },
  'device.issue': {
    socket: 'authority',
    dated: true,
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
    dated: true,
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
    dated: true,
    params: { name: { kind: 'string' }, roles: { kind: 'string' }, seconds: { kind: 'number' } },
  },
  'join.open': { socket: 'authority', dated: true, params: { roles: { kind: 'string' }, seconds: { kind: 'number' } } },
  'enrolment.list': { socket: 'authority', params: {} },
  'request.approve': { socket: 'authority', params: { request: { kind: 'string' } } },
  'request.deny': { socket: 'authority', params: { request: { kind: 'string' } } },
  'enrolment.watch': { socket: 'broker', params: { number: { kind: 'number' } } },
  'token.redeem': { socket: 'broker', dated: true, params: { token: { kind: 'string' }, csr: { kind: 'string' } } },
  'request.ask': { socket: 'broker', dated: true, params: { name: { kind: 'string' }, csr: { kind: 'string' } } },
  'device.renew': {
    socket: 'broker',
    dated: true,
    params: { certificate: { kind: 'string' }, csr: { kind: 'string' }, proof: { kind: 'string', otherwise: '' } },
  },
  'server.issue': { socket: 'broker', dated: true, params: { csr: { kind: 'string' } } },
  'trust.read': { socket: 'broker', params: {} },
  'device.ending': { socket: 'broker', params: { days: { kind: 'number' } } },
  'revocation.read': {
    socket: 'broker',
    params: { after: { kind: 'number' }, wait: { kind: 'boolean', otherwise: false } },
  },
} as const satisfies Record<Method, { socket: 'authority' | 'broker'; dated?: true; params: Record<string, Field> }>;
