// The roles that a device or a user may be given: those of the policy in force, which is the built-in one.

import { MotteError } from '@motte/admin/errors';
import { builtInPolicy } from '@motte/broker/roles';

/** The names, each once; throws MOT-0606 for one that would give no right at all. */
export function parseRoles(names: readonly string[]): string[] {
  const { roles } = builtInPolicy();
  const allowed = [...roles.values()].filter(({ listenerOnly }) => !listenerOnly).map(({ name }) => name);
  for (const name of names) {
    if (allowed.includes(name)) continue;
    const why = roles.has(name) ? `${name} is only for a listener with a waiver` : JSON.stringify(name.slice(0, 80));
    throw new MotteError('MOT-0606', why, { remedy: `there are: ${allowed.join(', ')}` });
  }
  return [...new Set(names)];
}
