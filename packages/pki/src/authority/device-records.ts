// What administrators see of the devices that were certified: from the ledger, with what was revoked of it.

import type { IssuedRecord, Ledger } from '../issue/ledger.ts';
import { DEVICE_HISTORY_MAX, DEVICE_PAGE } from '../limits.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { OWN_REALM, parseDeviceName } from '../protocol/names.ts';
import type { DeviceSummary } from '../protocol/results.ts';
import type { Revocations } from '../revoke/revocations.ts';

/** A page of devices in the order of their names. */
export function listDevices(ledger: Ledger, revocations: Revocations, after: string) {
  const names = ledger.deviceNames;
  const first = after === '' ? 0 : names.findIndex((name) => name > after);
  const page = first === -1 ? [] : names.slice(first, first + DEVICE_PAGE);
  const devices = page.flatMap((name) => summaryOf(ledger.device(name) ?? [], revocations));
  return { devices, more: first !== -1 && first + DEVICE_PAGE < names.length };
}

/** A device with the latest of its certificates; MOT-0432. */
export function showDevice(ledger: Ledger, revocations: Revocations, name: string) {
  const records = ledger.device(parseDeviceName(name)) ?? [];
  const latest = records.at(-1);
  const [summary] = summaryOf(records, revocations);
  if (latest === undefined || summary === undefined) throw new AuthorityFault('MOT-0432', name);
  const history = records.slice(-DEVICE_HISTORY_MAX).reverse();
  return {
    ...summary,
    realm: OWN_REALM,
    certificate: latest.certificate,
    history: history.map(({ serial, notAfter, issuedAt }) => ({
      serial,
      notAfter,
      issuedAt,
      ...revokedAtOf(revocations, serial),
    })),
  };
}

/** One summary, or none without records. */
function summaryOf(records: readonly IssuedRecord[], revocations: Revocations): DeviceSummary[] {
  const latest = records.at(-1);
  if (latest === undefined) return [];
  const { name, serial, fingerprint, notBefore, notAfter, issuedAt } = latest;
  const certificates = records.length;
  const revokedAt = revokedAtOf(revocations, serial);
  return [{ name, serial, fingerprint, notBefore, notAfter, issuedAt, ...revokedAt, certificates }];
}

function revokedAtOf(revocations: Revocations, serial: string): { revokedAt?: string } {
  const record = revocations.find(serial);
  return record === undefined ? {} : { revokedAt: record.revokedAt };
}
