// The `quotas` of a role, from YAML nodes: names, numbers, what happens beyond a rate.

import { BEYOND_RATE, QUOTA_NAMES, type QuotaName, type RoleQuotas } from '@motte/broker/policy';
import { isScalar } from 'yaml';
import type { Mistakes } from '../config/mistakes.ts';
import { nearest } from '../config/suggest.ts';

/** A key of the section and where it stands. */
export interface QuotaEntry {
  readonly name: string;
  readonly at: number;
  readonly value: unknown;
}

/** What is wrong is added to `mistakes`. */
export function readQuotas(entries: readonly QuotaEntry[], what: string, mistakes: Mistakes): RoleQuotas {
  const quotas: { -readonly [N in keyof RoleQuotas]: RoleQuotas[N] } = {};
  for (const { name, at, value } of entries) {
    const given = isScalar(value) ? value.value : undefined;
    const beyondRate = BEYOND_RATE.find((one) => one === given);
    if (isQuota(name)) {
      if (isCount(given)) quotas[name] = given;
      else mistakes.addAt(at, `${what}.${name}`, 'must be a whole number from 1 on');
    } else if (name !== 'beyondRate') {
      const meant = nearest(name, KEYS);
      const hint = meant === undefined ? `allowed here: ${KEYS.join(', ')}` : `did you mean ${meant}?`;
      mistakes.addAt(at, `${what}.${name}`, `unknown key; ${hint}`);
    } else if (beyondRate === undefined) {
      mistakes.addAt(at, `${what}.${name}`, `must be one of ${BEYOND_RATE.join(', ')}`);
    } else quotas.beyondRate = beyondRate;
  }
  return quotas;
}

function isQuota(name: string): name is QuotaName {
  return (QUOTA_NAMES as readonly string[]).includes(name);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

const KEYS = [...QUOTA_NAMES, 'beyondRate'];
