// Whether a device may be registered with an authority: one that the configuration knows, else nobody could prove it.

import { MotteError } from '@motte/admin/errors';
import type { DeviceKey, RegisteredIdentity } from '@motte/broker/ports/directory';
import type { MotteConfig } from '../config/config.ts';
import { newDevice } from './new-device.ts';

/** Throws MOT-0413. */
export function checkAuthority(config: MotteConfig, id: string): void {
  const known = config.clientAuthorities.map((one) => one.id);
  if (!known.includes(id)) throw new MotteError('MOT-0413', `${id}; it has ${known.join(', ') || 'none'}`);
}

/** What is entered for a device of such an authority that was never registered, so that it can be barred; MOT-0413. */
export function unregistered(config: MotteConfig, { name, ca }: DeviceKey): RegisteredIdentity | undefined {
  if (ca === undefined) return undefined;
  checkAuthority(config, ca);
  return newDevice({ name, roles: [], ca });
}
