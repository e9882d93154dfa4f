// Who a peer was proven to be. Equal names of two realms are two identities.

export type IdentityKind = 'device' | 'user' | 'anonymous';

export interface Identity {
  /** `ca:ID`, `password`, `scram`, `psk`, `token:ISSUER`, or `listener:NAME` for `authentication: none`. */
  readonly realm: string;
  readonly name: string;
  readonly kind: IdentityKind;
  readonly roles: readonly string[];
}

/** The key of an identity: realm and name, joined by a character that neither may contain. */
export function identityKey(identity: Pick<Identity, 'realm' | 'name'>): string {
  return `${identity.realm}\n${identity.name}`;
}

/** The realm of what Motte's own authority certifies; shown to people as the plain name. */
export const OWN_REALM = 'ca:motte';

/** The realm of devices that hold a pre-shared key instead of a certificate. */
export const PSK_REALM = 'psk';

/** Before the issuer in the realm of what its tokens prove; their roles come with the proof, not from the registry. */
export const TOKEN_REALM = 'token:';

/** Before the name of a listener without authentication in the realm of whoever comes by it. */
export const ANONYMOUS_REALM = 'listener:';

/** How people see an identity: NAME for Motte's own, NAME@LISTENER for the anonymous, else NAME@REALM. */
export function identityLabel(identity: Pick<Identity, 'realm' | 'name'>): string {
  if (identity.realm === OWN_REALM) return identity.name;
  return `${identity.name}@${identity.realm.startsWith(ANONYMOUS_REALM) ? identity.realm.slice(ANONYMOUS_REALM.length) : identity.realm}`;
}
