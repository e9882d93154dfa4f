// Refusals are ordinary values that always say why: to the operator in full, to the peer only the code.

import type { Reason } from '@motte/wire';

/** Which layer said no; `why` prints it first. */
export type Layer = 'admission' | 'transport' | 'identity' | 'access' | 'protocol' | 'broker';

export interface Allow {
  readonly allow: true;
}

export interface Refusal {
  readonly allow: false;
  readonly reason: Reason;
  /** One sentence for the operator: what was wrong and what would be right. */
  readonly because: string;
  /** The deciding rule: a rule id of the standard, a policy rule with file and line, or a configuration key. */
  readonly rule: string;
}

export type Verdict = Allow | Refusal;

export const ALLOW: Allow = Object.freeze({ allow: true });

/** Builds a refusal, always with the same shape. */
export function refuse(reason: Reason, because: string, rule: string): Refusal {
  return { allow: false, reason, because, rule };
}
