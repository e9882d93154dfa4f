// The registry's entry of a device that is enrolled now.

import type { RegisteredIdentity, Verifier } from '@motte/broker/ports/directory';
import { OWN_REALM, PSK_REALM } from '@motte/broker/ports/identity';

/** Without a verifier a certificate of the own authority proves it. */
export function newDevice(name: string, roles: readonly string[], verifier?: Verifier): RegisteredIdentity {
  const entry = { realm: OWN_REALM, name, kind: 'device', roles, state: 'active', addedAtMs: Date.now() } as const;
  return verifier === undefined ? entry : { ...entry, realm: PSK_REALM, verifier };
}
