// Whether a device may be registered with an authority: one that the configuration knows, else nobody could prove it.

import { MotteError } from '@motte/admin/errors';
import type { MotteConfig } from '../config/config.ts';

/** Throws MOT-0413. */
export function checkAuthority(config: MotteConfig, id: string): void {
  const known = config.clientAuthorities.map((one) => one.id);
  if (!known.includes(id)) throw new MotteError('MOT-0413', `${id}; it has ${known.join(', ') || 'none'}`);
}
