// The authority as its two kinds of clients see it: typed methods over any way to ask.

import type { Call } from '../authority/core.ts';
import type { BackupTo } from '../backup/age.ts';
import type {
  EnrolAnswer,
  EnrolledDevice,
  EnrolmentList,
  EnrolmentState,
  NewToken,
  RequestRow,
} from '../protocol/enrolment.ts';
import type { NamedProfile } from '../protocol/names.ts';
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
} from '../protocol/results.ts';

/** Every method rejects with an AuthorityFault. */
export interface Administrator {
  caInfo(): Promise<CaInfo>;
  showCa(): Promise<CaDetails>;
  /** A new CA beside the old one for a duration as `30d`; MOT-0461, MOT-0464. */
  rotateCa(overlap: string): Promise<CaDetails>;
  /** The new CA alone; MOT-0462, MOT-0463. */
  finishRotation(force: boolean): Promise<CaDetails>;
  /** Names of devices that only know the old CA. */
  unmovedDevices(): Promise<readonly string[]>;
  /** `force` certifies a name that has a certificate already (MOT-0431 without it); the earlier one stays valid. */
  issueDevice(request: { name: string; csr: string; force?: boolean; profile?: NamedProfile }): Promise<IssuedDevice>;
  /** Every device, in the order of names. */
  listDevices(): Promise<readonly DeviceSummary[]>;
  showDevice(name: string): Promise<DeviceDetails>;
  /** A one-use token for a name; an earlier one is void. */
  addToken(token: { name: string; roles: readonly string[]; seconds: number }): Promise<NewToken>;
  /** Lets devices ask without a token; 0 seconds end it. */
  openJoin(window: { roles: readonly string[]; seconds: number }): Promise<{ endsAt: string }>;
  enrolments(): Promise<EnrolmentList>;
  /** By id, or by a name that only one request has. */
  approveRequest(request: string): Promise<RequestRow>;
  denyRequest(request: string): Promise<{ denied: number; voided: boolean }>;
  /** Takes certificates back for good: every good one of the device, the one of a serial number, or all but one. */
  revokeDevice(request: { name: string; serial?: string; except?: string; reason?: string }): Promise<RevokedDevice>;
  /** The revocation list of now, PEM. */
  crl(): Promise<string>;
  /** The authority's part of the backup `id`, encrypted by the authority itself. Nothing else of it ever leaves. */
  backup(id: string, to: BackupTo): AsyncIterable<Uint8Array>;
}

/** Every method rejects with an AuthorityFault. */
export interface BrokerAuthority {
  /** The names are those of the request's alternative names: host names and addresses only. */
  issueServer(csr: string): Promise<IssuedServer>;
  trust(): Promise<TrustMaterial>;
  endingDevices(days: number): Promise<EndingDevices>;
  /** Answers when it is not `number` any more, or after a few seconds. */
  watchEnrolment(number: number): Promise<EnrolmentState>;
  redeemToken(request: { token: string; csr: string }): Promise<EnrolledDevice>;
  askToJoin(request: { name: string; csr: string }): Promise<EnrolAnswer>;
  renewDevice(request: { certificate: string; csr: string; proof: string }): Promise<EnrolAnswer>;
  /** Revocations behind the first `after`; with `wait` not before there is one, or a few seconds have passed. */
  revocations(request: { after: number; wait: boolean }): Promise<RevocationNews>;
}

export function administrator(call: Call): Administrator {
  return {
    caInfo: () => call('ca.info', {}),
    showCa: () => call('ca.show', {}),
    rotateCa: (overlap) => call('ca.rotate', { overlap }),
    finishRotation: (force) => call('ca.finish', { force }),
    unmovedDevices: async () => {
      const names: string[] = [];
      for (let more = true; more; ) {
        const page = await call('ca.unmoved', { after: names.at(-1) ?? '' });
        names.push(...page.names);
        more = page.more && page.names.length > 0;
      }
      return names;
    },
    issueDevice: ({ name, csr, force = false, profile = '' }) => call('device.issue', { name, csr, force, profile }),
    listDevices: async () => {
      const devices: DeviceSummary[] = [];
      for (let more = true; more; ) {
        const page = await call('device.list', { after: devices.at(-1)?.name ?? '' });
        devices.push(...page.devices);
        more = page.more && page.devices.length > 0;
      }
      return devices;
    },
    showDevice: (name) => call('device.show', { name }),
    addToken: ({ name, roles, seconds }) => call('token.add', { name, roles: roles.join(' '), seconds }),
    openJoin: ({ roles, seconds }) => call('join.open', { roles: roles.join(' '), seconds }),
    enrolments: () => call('enrolment.list', {}),
    approveRequest: (request) => call('request.approve', { request }),
    denyRequest: (request) => call('request.deny', { request }),
    revokeDevice: ({ name, serial = '', except = '', reason = 'unspecified' }) =>
      call('device.revoke', { name, serial, except, reason }),
    crl: async () => {
      let text = '';
      for (let number = 0, more = true; more; ) {
        const piece = await call('ca.crl', { number, at: text.length });
        text += piece.pem;
        ({ number, more } = piece);
      }
      return text;
    },
    async *backup(id, { recipients, passphrase }) {
      await call('backup.begin', { id, recipients: recipients.join(' '), passphrase });
      for (;;) {
        const { base64 } = await call('backup.read', { id });
        if (base64 === '') return;
        yield Buffer.from(base64, 'base64');
      }
    },
  };
}

export function brokerAuthority(call: Call): BrokerAuthority {
  return {
    issueServer: (csr) => call('server.issue', { csr }),
    trust: () => call('trust.read', {}),
    endingDevices: (days) => call('device.ending', { days }),
    watchEnrolment: (number) => call('enrolment.watch', { number }),
    redeemToken: (request) => call('token.redeem', request),
    askToJoin: (request) => call('request.ask', request),
    renewDevice: (request) => call('device.renew', request),
    revocations: (request) => call('revocation.read', request),
  };
}
