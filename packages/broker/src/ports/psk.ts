// Pre-shared keys as TLS asks for them, in the middle of a handshake and by name alone.

export interface PreSharedKey {
  /** 32 bytes. Those of a name that nobody has are its alone and fit nothing: to the peer a name it made up looks like a wrong key. */
  readonly key: Uint8Array;
  /** Tells keys apart without being one; undefined where the name is nobody's. */
  readonly keyId: string | undefined;
}

/** The key of an identity (RFC 4279); undefined for what cannot be a name at all, such as a session ticket. */
export type PreSharedKeys = (identity: string) => PreSharedKey | undefined;

/** Which key a finished handshake has proved to hold. */
export interface ProvenKey {
  readonly identity: string;
  readonly keyId: string | undefined;
}
