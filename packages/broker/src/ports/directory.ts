// The registry of identities: who is known, with which roles. The proof of identity asks it; administrators fill it.

import { type IdentityKind, OWN_REALM, PSK_REALM } from './identity.ts';

/**
 * What an identity without a certificate is recognised by. It leaves the registry only towards the proof of identity: no
 * document, log or error shows it. Byte strings are base64.
 */
export type Verifier =
  /** In PHC format, `$argon2id$v=19$m=…`. */
  | { readonly kind: 'argon2id'; readonly hash: string }
  /** As mosquitto_passwd wrote it, `$6$…` or `$7$…`: good for one login, which replaces it. */
  | { readonly kind: 'mosquitto'; readonly hash: string }
  /** RFC 5802, 3. */
  | {
      readonly kind: 'scram-sha-256';
      readonly salt: string;
      readonly iterations: number;
      readonly storedKey: string;
      readonly serverKey: string;
    }
  /** The key itself: TLS needs it. */
  | { readonly kind: 'psk'; readonly key: string };

export interface RegisteredIdentity {
  readonly realm: string;
  readonly name: string;
  readonly kind: IdentityKind;
  readonly roles: readonly string[];
  readonly state: 'active' | 'disabled';
  readonly addedAtMs: number;
  /** Absent where a certificate or a token proves it. */
  readonly verifier?: Verifier;
}

export interface IdentityDirectory {
  /** A secret as old as the registry: what unknown names are answered with derives from it, and looks the same for ever. */
  readonly decoyKey?: Uint8Array;
  find(realm: string, name: string): RegisteredIdentity | undefined;
  list(): readonly RegisteredIdentity[];
  /**
   * Adds or replaces; durable when the promise resolves. With `inPlaceOf` only while that very entry stands there when its turn comes:
   * what was changed or removed meanwhile stays so.
   */
  put(identity: RegisteredIdentity, inPlaceOf?: RegisteredIdentity): Promise<void>;
  /** Durable when the promise resolves; false if there is none. */
  remove(realm: string, name: string): Promise<boolean>;
  /** Tells of every identity that was added, replaced or removed, once that is durable. */
  watch?(listener: (identity: Pick<RegisteredIdentity, 'realm' | 'name'>) => void): void;
}

/** A device that was enrolled here, by a certificate or a pre-shared key, or registered with the authority that certifies it. */
export function isOwnDevice({ realm, kind }: Pick<RegisteredIdentity, 'realm' | 'kind'>): boolean {
  return kind === 'device' && (realm === PSK_REALM || realm.startsWith(CA_REALM));
}

/** Before the ID of an authority, Motte's own included. */
const CA_REALM = OWN_REALM.slice(0, OWN_REALM.indexOf(':') + 1);

/** A device as commands name it: `ca` is the ID of the foreign authority that certifies it. */
export interface DeviceKey {
  readonly name: string;
  readonly ca?: string;
}

/** Such a device; no two that were enrolled here have the same name, since rules speak of devices by name. */
export function findDevice(
  directory: Pick<IdentityDirectory, 'find'>,
  { name, ca }: DeviceKey,
): RegisteredIdentity | undefined {
  if (ca !== undefined) return directory.find(CA_REALM + ca, name);
  return directory.find(OWN_REALM, name) ?? directory.find(PSK_REALM, name);
}
