// What may name a user: what may name a device.

import { MotteError } from '@motte/admin/errors';
import { isDeviceName } from '@motte/pki/protocol';

/** Throws MOT-0620. */
export function checkUserName(name: string): void {
  if (!isDeviceName(name)) throw new MotteError('MOT-0620', shownName(name));
}

/** Nobody has a name that is none. Throws MOT-0622. */
export function checkKnowable(name: string): void {
  if (!isDeviceName(name)) throw new MotteError('MOT-0622', shownName(name));
}

/** As it stands in an error. */
export function shownName(name: string): string {
  return JSON.stringify(name.slice(0, NAME_SHOWN));
}

const NAME_SHOWN = 80;
