// Between the enrolment listener and the authority: faults become outcomes, and what was issued is entered into the
// registry before the device hears of it. A crash in between is repaired when the device asks again.

import { X509Certificate } from 'node:crypto';
import type { EventFields, EventName } from '@motte/broker/events';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import type { EnrolDesk, Enrolled, EnrolOutcome } from '@motte/broker/ports/enrol';
import { identityKey, OWN_REALM } from '@motte/broker/ports/identity';
import { AuthorityFault, type BrokerAuthority, certsOnly, type EnrolAnswer, type EnrolledDevice } from '@motte/pki';
import { deviceNameOf } from '@motte/pki/protocol';
import { newDevice } from '../data/new-device.ts';

export interface EnrolDeskParts {
  readonly authority: BrokerAuthority;
  readonly directory: IdentityDirectory;
  readonly emit: <N extends EventName>(name: N, fields: EventFields<N>) => void;
  readonly tls: () => { readonly clientCa: string };
  /** Why nobody knows what time it is: tokens that have ended would be good again, and certificates begin at no date. */
  readonly timeUnknown: () => string | undefined;
}

export function createEnrolDesk({ authority, directory, emit, tls, timeUnknown }: EnrolDeskParts): EnrolDesk {
  const chain = (): string[] =>
    tls().clientCa.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  /** The registry's entry, unless it is there: from an earlier try, or because the device only renews. */
  const enter = async (device: EnrolledDevice): Promise<EnrolOutcome> => {
    const { name, roles } = device;
    if (directory.find(OWN_REALM, name) === undefined) {
      await directory.put(newDevice({ name, roles }));
      emit('device.added', { identity: name, roles });
    }
    return { state: 'issued', device: enrolledOf(device) };
  };
  const asked = (answer: Extract<EnrolAnswer, { state: 'waiting' }>): EnrolOutcome => {
    const { state, id, name, fingerprint } = answer;
    emit('device.asked', { identity: name, request: id, fingerprint });
    return { state, id, name, fingerprint };
  };
  const inTime = async (rule: string, work: () => Promise<EnrolOutcome>): Promise<EnrolOutcome> => {
    const because = timeUnknown();
    return because === undefined ? outcomeOf(rule, work) : { state: 'busy', because };
  };
  return {
    get root() {
      return chain()[0] ?? '';
    },
    get roots() {
      return chain().filter(isRoot).join('');
    },
    redeem: (request) => inTime('enrol.token', async () => enter(await authority.redeemToken(request))),
    ask: (request) =>
      inTime('enrol.join', async () => {
        const answer = await authority.askToJoin(request);
        return answer.state === 'issued' ? enter(answer.device) : asked(answer);
      }),
    renew: (request) =>
      inTime('enrol.renew', async () => {
        const name = nameOf(request.certificate);
        // The authority decides by certificates; whom the registry does not let in needs no new one.
        if (directory.find(OWN_REALM, name)?.state !== 'active') {
          return refused(`${name === '' ? 'who shows a foreign certificate' : name} is not an active device here`);
        }
        const answer = await authority.renewDevice(request);
        if (answer.state === 'waiting') return asked(answer);
        emit('device.renewed', { identity: identityKey({ realm: OWN_REALM, name }) });
        return { state: 'issued', device: enrolledOf(answer.device) };
      }),
    caCerts: () => certsOnly(chain()),
    certsOnly: (pem) => certsOnly([pem]),
  };
}

function enrolledOf({ name, roles, certificate, issuing, root, notAfter }: EnrolledDevice): Enrolled {
  return { name, roles, certificate, issuing, root, notAfter };
}

function isRoot(pem: string): boolean {
  const certificate = new X509Certificate(pem);
  return certificate.checkIssued(certificate);
}

function nameOf(pem: string): string {
  try {
    return deviceNameOf(new X509Certificate(pem)) ?? '';
  } catch {
    return '';
  }
}

async function outcomeOf(rule: string, work: () => Promise<EnrolOutcome>): Promise<EnrolOutcome> {
  try {
    return await work();
  } catch (fault) {
    if (!(fault instanceof AuthorityFault)) throw fault;
    switch (fault.code) {
      case 'MOT-0444':
      case 'MOT-0448':
        return { state: 'refused', because: fault.why, rule };
      case 'MOT-0430':
      case 'MOT-0433':
        return { state: 'unusable', because: fault.why };
      case 'MOT-0421':
      case 'MOT-0427':
      case 'MOT-0446':
      case 'MOT-0479':
        return { state: 'busy', because: fault.message };
      default:
        throw fault;
    }
  }
}

function refused(because: string): EnrolOutcome {
  return { state: 'refused', because, rule: 'enrol.renew' };
}
