// Which CAs a listener trusts in the handshake: those of the realms it names, and no others.

import type { ListenerConfig, TlsMaterial } from '../ports/config.ts';
import { OWN_REALM } from '../ports/identity.ts';

/** PEM, one after the other. */
export function clientCaOf({ clientCa = OWN_ONLY }: ListenerConfig, material: TlsMaterial): string {
  const own = clientCa.includes(OWN_REALM) ? material.clientCa : '';
  const foreign = (material.foreignCa ?? []).filter(({ realm }) => clientCa.includes(realm));
  return own + foreign.map(({ pem }) => pem).join('');
}

/** A text that changes with any CA of any listener: what was proven under another one is proven anew. */
export function trustText({ clientCa, foreignCa = [] }: TlsMaterial): string {
  return JSON.stringify([clientCa, foreignCa]);
}

const OWN_ONLY: readonly string[] = [OWN_REALM];
