// The roles that are there from the first start, before anyone wrote a policy.

import { type Policy, policyOf, roleOf } from './policy.ts';

/** `device`: its own branch, up and down. `operator`: sees all devices. `lab`: everything but `$…`, by listener only. */
export function builtInPolicy(): Policy {
  return policyOf([
    roleOf('device', ['allow publish devices/${device}/up/#', 'allow subscribe devices/${device}/down/#']),
    roleOf('operator', ['allow subscribe devices/#']),
    roleOf('lab', ['allow all #'], { listenerOnly: true }),
  ]);
}
