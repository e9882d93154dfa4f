// The server profile: proves host names and addresses to devices. It carries no URI and a fixed common name, so it can
// never be read as a device, whatever names a hostile broker asks for.

import { SERVER_NAMES_MAX } from '../limits.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { isHostName, isIpAddress, SERVER_COMMON_NAME } from '../protocol/names.ts';
import { type AlternativeName, type Plan, plan } from './profile.ts';

/** Throws MOT-0430 unless there are 1 to 64 names and each is a host name or an address. */
export function serverProfile(names: readonly AlternativeName[]): Plan {
  if (names.length === 0) throw new AuthorityFault('MOT-0430', 'it names no host');
  if (names.length > SERVER_NAMES_MAX)
    throw new AuthorityFault('MOT-0430', `it has more than ${SERVER_NAMES_MAX} names`);
  for (const { type, value } of names) {
    const allowed = type === 'dns' ? isHostName(value) : type === 'ip' && isIpAddress(value);
    if (!allowed)
      throw new AuthorityFault('MOT-0430', `a server cannot be called ${JSON.stringify(value.slice(0, 80))}`);
  }
  return plan('server', SERVER_COMMON_NAME, names);
}
