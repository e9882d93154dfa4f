// The policy in force by the data directory alone, broker or not: the file is replaced as a whole, so it reads without a lock.

import { MotteError } from '@motte/admin/errors';
import type { Policy } from '@motte/broker/policy';
import { openPolicyHistory, type PolicyHistory } from '@motte/broker/policy-history';
import { policyPath } from '../data/layout.ts';
import { policyInForce } from './policies.ts';

/** Throws MOT-0905. */
export function openStoredPolicies(data: string): PolicyHistory {
  try {
    return openPolicyHistory(policyPath(data));
  } catch (fault) {
    throw new MotteError('MOT-0905', (fault as Error).message, { cause: fault });
  }
}

/** Throws MOT-0905. */
export function storedPolicy(data: string): Policy {
  return policyInForce(openStoredPolicies(data));
}
