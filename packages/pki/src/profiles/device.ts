// The device profile: proves one device name to the broker, and nothing to anyone else.

import { deviceUri, parseDeviceName } from '../protocol/names.ts';
import { type Plan, plan } from './profile.ts';

/** Throws MOT-0433 if the name may not name a device. */
export function deviceProfile(name: string): Plan {
  const parsed = parseDeviceName(name);
  return plan('device', parsed, [{ type: 'url', value: deviceUri(parsed) }]);
}
