// The registry's entry of a device that is enrolled now.

import type { NewDevice } from '@motte/broker/ports/admin-view';
import type { RegisteredIdentity } from '@motte/broker/ports/directory';
import { OWN_REALM, PSK_REALM } from '@motte/broker/ports/identity';
import { caRealm } from '@motte/pki/protocol';

/** Without a verifier or another authority a certificate of the own one proves it. */
export function newDevice({ name, roles, verifier, ca }: NewDevice): RegisteredIdentity {
  const realm = ca === undefined ? OWN_REALM : caRealm(ca);
  const entry = { realm, name, kind: 'device', roles, state: 'active', addedAtMs: Date.now() } as const;
  return verifier === undefined ? entry : { ...entry, realm: PSK_REALM, verifier };
}
