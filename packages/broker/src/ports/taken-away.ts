// What an identity lost when it, or what proved it, was taken away.

import type { Identity } from './identity.ts';

export interface TakenAway {
  readonly identity: Identity;
  /** The first reason, as `motte why` gives it. */
  readonly why: string;
  /** True while only certificates went that others stand in for. */
  superseded: boolean;
  connections: number;
  sessions: number;
  queuedMessages: number;
  /** Cancelled, not published. */
  wills: number;
}
