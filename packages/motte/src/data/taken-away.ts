// A device's certificates are revoked, then what the broker knows of the device changes; and how that is told to people.

import { performance } from 'node:perf_hooks';
import type { Device, Ended } from '@motte/admin';
import { askAuthority, type Place } from './ask-authority.ts';
import { noSuchDevice } from './no-such-device.ts';
import { type Registered, withRegistry } from './registered.ts';

export interface RevokeRequest {
  readonly place: Place;
  readonly name: string;
  /** As the authority takes them. */
  readonly certificates: { readonly serial?: string; readonly except?: string; readonly reason: string };
  /** What the registry is told afterwards; `good` = certificates that the device can still come with. */
  readonly settle: (
    registry: Registered,
    device: Device,
    revocation: { number: number; good: number },
  ) => Promise<Ended | undefined>;
}

export interface Revoked {
  /** Revoked now, by serial number. */
  readonly serials: readonly string[];
  readonly good: number;
  /** Undefined while no broker runs. */
  readonly ended: Ended | undefined;
  /** From the request to the end of the last session. */
  readonly ms: number;
}

/** Throws MOT-0603 if neither registry nor authority know the name, and AuthorityFault. */
export async function revokeDevice({ place, name, certificates, settle }: RevokeRequest): Promise<Revoked> {
  const { parseDeviceName, AuthorityFault } = await import('@motte/pki');
  parseDeviceName(name);
  return withRegistry(place, async (registry) => {
    const device = await registry.find(name);
    const startedMs = performance.now();
    const revoked = await askAuthority(place, (ca) => ca.revokeDevice({ name, ...certificates })).catch(
      async (fault) => {
        // A device without any certificate can still be taken out of the registry.
        const isUnknown = fault instanceof AuthorityFault && fault.code === 'MOT-0432';
        if (!isUnknown) throw fault;
        if (device === undefined) throw await noSuchDevice(registry, name);
        return { serials: [], good: 0, number: 0 };
      },
    );
    const { serials, good } = revoked;
    const ended = device === undefined ? undefined : await settle(registry, device, revoked);
    return { serials, good, ended, ms: Math.round(performance.now() - startedMs) };
  });
}

/** One or two sentences. */
export function revokedText({ serials, good, ended, ms }: Revoked): string {
  const certificates = count(serials.length, 'certificate');
  const rest = good === 0 ? '' : `, ${count(good, 'certificate')} of it stay${good === 1 ? 's' : ''} good`;
  if (ended === undefined) {
    return `${certificates} revoked${rest}; no broker runs here: when it starts, what the device had ends before anybody is let in`;
  }
  return `${certificates} revoked${rest}; ${endedText(ended, ms)}`;
}

/** What a device lost, and how long it took. */
export function endedText({ connections, sessions, queuedMessages, wills }: Ended, ms: number): string {
  const lost = [
    count(connections, 'connection'),
    `${count(sessions, 'session')} with ${count(queuedMessages, 'queued message')}`,
    ...(wills === 0 ? [] : [`${count(wills, 'will')} not published`]),
  ];
  return `ended ${lost.join(', ')}; it took ${ms} ms`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
