// `device.revoke`: which certificates of a device are taken back, and that they are. Of those that have ended by themselves
// none needs to be; one that was revoked before stays as it was, so that asking twice is no mistake.

import type { Ledger } from '../issue/ledger.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import type { Methods } from '../protocol/methods.ts';
import { parseDeviceName, serialText } from '../protocol/names.ts';
import { isRevocationReason, REVOCATION_REASONS, type Revocations } from './revocations.ts';

/** Throws MOT-0426 for a reason that is none, MOT-0432 for an unknown device, MOT-0467 for a serial that is not its own. */
export async function revokeDevice(
  ledger: Ledger,
  revocations: Revocations,
  params: Methods['device.revoke']['params'],
  nowMs: number,
): Promise<Methods['device.revoke']['result']> {
  const name = parseDeviceName(params.name);
  const { reason } = params;
  if (!isRevocationReason(reason)) {
    throw new AuthorityFault('MOT-0426', `the reason is none of ${REVOCATION_REASONS.join(', ')}`);
  }
  const issued = ledger.device(name);
  if (issued === undefined) throw new AuthorityFault('MOT-0432', name);
  const only = serialText(params.serial);
  const except = serialText(params.except);
  for (const serial of [only, except]) {
    if (serial !== '' && !issued.some((one) => one.serial === serial)) {
      throw new AuthorityFault('MOT-0467', `${name} has none with the serial number ${serial.slice(0, SERIAL_SHOWN)}`);
    }
  }
  const good = issued.filter(
    ({ serial, notAfter }) => revocations.find(serial) === undefined && Date.parse(notAfter) > nowMs,
  );
  const meant = good.filter(({ serial }) => (only === '' || serial === only) && serial !== except);
  const revokedAt = new Date(nowMs).toISOString();
  await revocations.append(
    meant.map(({ serial, notAfter }) => ({ format: 1, revokedAt, notAfter, name, serial, reason })),
  );
  return {
    name,
    serials: meant.map(({ serial }) => serial),
    good: good.length - meant.length,
    number: revocations.number,
  };
}

const SERIAL_SHOWN = 80;
