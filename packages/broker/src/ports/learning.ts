// Learning a policy as administrators see it: an identity is watched, and rules are proposed. Nothing is applied.

import type { WatchEnd, WatchedCounts, WatchedRefusal, WatchRecord } from './watch.ts';

export interface Proposal {
  /** NAME, or NAME@REALM. */
  readonly identity: string;
  readonly ended: WatchEnd;
  readonly seconds: number;
  readonly seen: WatchedCounts;
  /** By which it acted. */
  readonly roles: readonly string[];
  /** The proposed one; the policy has none of that name. */
  readonly role: string;
  readonly rules: readonly string[];
  /** Of the roles by which it acted; they belong to the proposed one as well. */
  readonly denies: readonly { readonly role: string; readonly rule: string; readonly place: string }[];
  readonly tests: readonly string[];
  /** What it was not given; never part of the rules. */
  readonly refused: readonly WatchedRefusal[];
  /** What it did and no proposed rule or test says. */
  readonly unsaid: readonly { readonly action: string; readonly target: string; readonly why: string }[];
  readonly unkept: WatchRecord['unkept'];
  /** YAML, for review. */
  readonly text: string;
}

export interface Lesson {
  /** So far. */
  readonly seen: WatchedCounts;
  readonly done: Promise<Proposal>;
  /** Whoever asked for it is not there any more. */
  abandon(): void;
}

export interface Learning {
  /** Throws MOT-0910, MOT-0911 or MOT-0912. */
  begin(wanted: { readonly identity: string; readonly seconds: number }): Lesson;
  /** Has whoever began it get the proposal now; the identity's label. Throws MOT-0910 or MOT-0912. */
  end(identity: string): string;
}
