// What a set-up says about who may do what, as roles of a policy: what the readers of ACLs hand to whoever names the people.

export interface Rights {
  /** The roles of whoever is let in. */
  readonly base: readonly string[];
  /** The roles of whoever has this name, those of groups apart. */
  rolesOf(name: string): readonly string[];
  /** The names that it speaks of. */
  readonly names: readonly string[];
  readonly groups: readonly {
    readonly name: string;
    readonly roles: readonly string[];
    readonly members: readonly string[];
  }[];
  /** The role of clients that prove nothing. */
  readonly anonymous: string;
  /** What it says of whoever has this name, in its order, each entry at its widest: a placeholder counts as any one level. */
  saysOf(name: string): readonly SourceEntry[];
  /** True if a rule hangs on the client id. */
  readonly needsOwnClientIds: boolean;
}

export interface SourceEntry {
  readonly effect: 'allow' | 'deny';
  readonly action: 'publish' | 'subscribe';
  readonly filter: string;
  /** False if less than the filter says may be meant. */
  readonly isExact: boolean;
}

/** What a name stands for: those who log in are users, those with a certificate or a key are devices. */
export interface KindsOfPeople {
  readonly users: boolean;
  readonly devices: boolean;
  /** All that can be there; undefined where certificates prove names that nobody lists. */
  readonly names: readonly string[] | undefined;
}
