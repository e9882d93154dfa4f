// Certificates that end soon: looked at every hour, told once a day each, shown in `motte status`. Devices' are asked of the
// authority, which has them all; those of other authorities are known while they are connected.

import type { BrokerEvent } from '@motte/broker/events';
import type { ClientRow, EndingCertificate, HealthFinding } from '@motte/broker/ports/admin-view';
import type { Counters } from '@motte/broker/ports/counters';
import type { BrokerAuthority } from '@motte/pki';
import { daysLeft, endingCertificates, endingFindings, isDue, WARN_DAYS } from './ending-certificates.ts';
import type { Material } from './material.ts';

export interface ExpiryWatchParts {
  /** In force now. */
  readonly material: () => Pick<Material, 'tls' | 'authorities'>;
  readonly authority: Pick<BrokerAuthority, 'endingDevices'>;
  readonly clients: () => readonly Pick<ClientRow, 'identity' | 'certificateDaysLeft'>[];
  readonly counters: Pick<Counters, 'certificateDaysLeft' | 'devicesEnding'>;
  readonly told: (event: BrokerEvent) => void;
  readonly nowMs?: () => number;
}

export interface ExpiryWatch {
  /** What ends next, servers and CAs before devices where they end together. */
  readonly next: readonly EndingCertificate[];
  findings(): readonly HealthFinding[];
  /** Looks now; it does so by itself every hour. */
  look(): Promise<void>;
  close(): void;
}

export function watchExpiry(parts: ExpiryWatchParts): ExpiryWatch {
  const { material, authority, clients, counters, told, nowMs = Date.now } = parts;
  /** The day on which each was told last, by its id; forgotten with the certificate. */
  let toldOn = new Map<string, number>();
  let devices: readonly EndingCertificate[] = [];
  let known: { readonly of: object; readonly certificates: readonly EndingCertificate[] } | undefined;
  const held = (): readonly EndingCertificate[] => {
    const of = material();
    if (known?.of !== of) known = { of, certificates: endingCertificates(of) };
    return known.certificates;
  };

  const look = async (): Promise<void> => {
    const atMs = nowMs();
    // One of another version may not know the question: what it said last stays.
    const own = await authority.endingDevices(WARN_DAYS).catch(() => undefined);
    if (own !== undefined) {
      const theirs = clients().flatMap((client) => foreignDevice(client, atMs));
      devices = [...own.devices.map(ownDevice), ...theirs];
      counters.devicesEnding = own.count + theirs.length;
    }
    counters.certificateDaysLeft = daysLeft(held()[0]?.notAfterMs ?? atMs, atMs);
    const today = Math.floor(atMs / DAY_MS);
    const due = [...held(), ...devices].filter((one) => isDue(one, atMs));
    const before = toldOn;
    toldOn = new Map(due.map(({ id }) => [id, today]));
    for (const { id, kind, name, notAfterMs } of due) {
      if (before.get(id) === today) continue;
      const notAfter = new Date(notAfterMs).toISOString();
      told({ name: 'certificate.ending', atMs, kind, subject: name, notAfter, daysLeft: daysLeft(notAfterMs, atMs) });
    }
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return {
    get next() {
      return [...held(), ...devices].sort((a, b) => a.notAfterMs - b.notAfterMs).slice(0, NEXT_MAX);
    },
    findings: () => endingFindings(held(), nowMs()),
    look,
    close: () => clearInterval(timer),
  };
}

function ownDevice({ name, notAfter }: { readonly name: string; readonly notAfter: string }): EndingCertificate {
  return { kind: 'device', name, isOwn: true, notAfterMs: Date.parse(notAfter), id: `device ${name} ${notAfter}` };
}

/** Its day is all that is known of it here. */
function foreignDevice(
  { identity, certificateDaysLeft: left }: Pick<ClientRow, 'identity' | 'certificateDaysLeft'>,
  atMs: number,
): EndingCertificate[] {
  if (left === null || left >= WARN_DAYS || !identity.includes('@ca:')) return [];
  const day = Math.floor(atMs / DAY_MS) + left;
  return [{ kind: 'device', name: identity, isOwn: false, notAfterMs: (day + 1) * DAY_MS, id: `device ${identity}` }];
}

const LOOK_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Shown by `motte status`. */
const NEXT_MAX = 10;
