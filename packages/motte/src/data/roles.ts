// The roles that a device or a user may be given: those of the policy in force.

import { MotteError } from '@motte/admin/errors';
import type { Policy } from '@motte/broker/policy';

/** The names, each once; throws MOT-0606 for one that would give no right at all. */
export function parseRoles(names: readonly string[], { roles }: Pick<Policy, 'roles'>): string[] {
  const allowed = [...roles.values()].filter(({ listenerOnly }) => !listenerOnly).map(({ name }) => name);
  for (const name of names) {
    if (allowed.includes(name)) continue;
    const why = roles.has(name) ? `${name} is only for a listener with a waiver` : JSON.stringify(name.slice(0, 80));
    throw new MotteError('MOT-0606', why, {
      remedy: `there are: ${allowed.slice(0, LISTED_MAX).join(', ')}${allowed.length > LISTED_MAX ? ', …' : ''}`,
    });
  }
  return [...new Set(names)];
}

const LISTED_MAX = 20;
