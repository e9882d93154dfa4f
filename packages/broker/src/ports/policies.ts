// The policy as administrators see it: the one in force, those before it, and what a new one would mean.

/** A policy by which others are told apart; version 0 is the built-in one. */
export interface PolicyRow {
  /** Grows by one with each that is applied. */
  readonly version: number;
  /** Wall-clock time in ms; 0 for the built-in one. */
  readonly appliedAtMs: number;
  /** Who applied it, as they say. */
  readonly by: string;
  /** Empty = no reason was given. */
  readonly why: string;
  /** The file's name, as every place in it has it. */
  readonly file: string;
}

export interface StoredPolicy extends PolicyRow {
  readonly text: string;
}

export interface PolicySource {
  readonly text: string;
  readonly file: string;
}

export interface PolicyReport {
  /** What is most likely not meant. */
  readonly findings: readonly { readonly id: string; readonly place: string; readonly why: string }[];
  readonly passed: number;
  readonly failed: readonly { readonly place: string; readonly test: string; readonly because: string }[];
  /** Against the policy in force. */
  readonly changes: readonly PolicyChange[];
  /** Undefined where no broker runs. */
  readonly replay: PolicyReplay | undefined;
}

/** What a policy would mean for the sessions that are there, by what they subscribe to and published to lately. */
export interface PolicyReplay {
  /** Sessions that were looked at, and those that were not, or in part: there are too many, or it would take too long. */
  readonly clients: number;
  readonly skipped: number;
  readonly decisions: number;
  readonly changes: readonly ReplayedChange[];
  /** Further ones that are not listed. */
  readonly more: number;
}

export interface ReplayedChange {
  readonly identity: string;
  readonly clientId: string;
  readonly action: 'publish' | 'subscribe';
  readonly target: string;
  readonly from: 'allowed' | 'denied' | 'some messages';
  readonly to: 'allowed' | 'denied' | 'some messages';
  /** Why it would be denied; else empty. */
  readonly because: string;
}

export interface PolicyChange {
  /** Such as `role operator`. */
  readonly where: string;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** What ended because its right is gone. */
export interface LostRights {
  readonly subscriptions: number;
  readonly connections: number;
}

export interface NewPolicy extends PolicySource {
  readonly by: string;
  readonly why: string;
  /** Findings refuse it, too. */
  readonly strict: boolean;
}

export interface AppliedPolicy {
  readonly policy: PolicyRow;
  readonly report: PolicyReport;
  readonly lost: LostRights;
}

/** Each throws a MotteError. */
export interface Policies {
  /** Of the one in force. */
  readonly version: number;
  /** Newest first; the built-in one is the last. */
  list(): readonly PolicyRow[];
  /** The one in force without a version. */
  read(version?: number): StoredPolicy;
  /** Changes nothing. */
  check(source: PolicySource): Promise<PolicyReport>;
  /** In force, and durable, when the promise resolves. */
  apply(policy: NewPolicy): Promise<AppliedPolicy>;
}
