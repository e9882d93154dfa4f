// The profiles that prove one name: of a device, a gateway, a steward of payload keys, or an administrator. They differ in the
// URI that carries the name and in the keys they may have, so that none can be read as another.

import { type NamedProfile, namedUri, parseDeviceName } from '../protocol/names.ts';
import { type Plan, plan } from './profile.ts';

/** Throws MOT-0433 if the name is not allowed. */
export function namedProfile(profile: NamedProfile, name: string): Plan {
  const parsed = parseDeviceName(name);
  return plan(profile, parsed, [{ type: 'url', value: namedUri(profile, parsed) }]);
}

/** A device of this name; MOT-0433. */
export function deviceProfile(name: string): Plan {
  return namedProfile('device', name);
}
