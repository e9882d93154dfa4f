// From the quotas of roles to those of one identity. Roles add rights up, and so they do with quotas: of the roles that name a
// number the one with the largest counts, so that a role can be given to lift a bound.

import { type BeyondRate, NO_QUOTAS, QUOTA_NAMES, type QuotaName, type Quotas } from '../ports/quotas.ts';

/** As a role states them. */
export interface RoleQuotas extends Readonly<Partial<Record<QuotaName, number>>> {
  readonly beyondRate?: BeyondRate;
}

/** Complete, for an identity that has this role alone. */
export function completeQuotas(role: string, stated: RoleQuotas): Quotas {
  const named = QUOTA_NAMES.filter((name) => stated[name] !== undefined);
  if (named.length === 0) return NO_QUOTAS;
  return Object.freeze({
    ...NO_QUOTAS,
    ...stated,
    roles: Object.freeze(Object.fromEntries(named.map((name) => [name, role]))),
  });
}

/** What the role had stated to come to these. */
export function statedQuotas(quotas: Quotas): RoleQuotas {
  if (quotas === NO_QUOTAS) return {};
  const named = QUOTA_NAMES.filter((name) => quotas.roles[name] !== undefined);
  return { ...Object.fromEntries(named.map((name) => [name, quotas[name]])), beyondRate: quotas.beyondRate };
}

/** What a role states, one number a line, in the words of the file. */
export function quotaLines(quotas: Quotas): readonly string[] {
  const lines = QUOTA_NAMES.filter((name) => quotas.roles[name] !== undefined).map(
    (name) => `${name}: ${quotas[name]}`,
  );
  return boundsRate(quotas) ? [...lines, `beyondRate: ${quotas.beyondRate}`] : lines;
}

/** Of all roles together. Those of most identities come from one role, and are the role's own object. */
export function mergeQuotas(all: readonly Quotas[]): Quotas {
  const [first = NO_QUOTAS, ...rest] = all.filter((one) => one !== NO_QUOTAS);
  return rest.reduce(largest, first);
}

function largest(a: Quotas, b: Quotas): Quotas {
  const numbers: Partial<Record<QuotaName, number>> = {};
  const roles: Partial<Record<QuotaName, string>> = {};
  for (const name of QUOTA_NAMES) {
    const one = a.roles[name] === undefined || (b.roles[name] !== undefined && b[name] > a[name]) ? b : a;
    const role = one.roles[name];
    if (role === undefined) continue;
    numbers[name] = one[name];
    roles[name] = role;
  }
  // A publisher is refused only where every role that bounds its rate says so.
  const beyondRate = [a, b].some((one) => boundsRate(one) && one.beyondRate === 'slow') ? 'slow' : 'refuse';
  return Object.freeze({ ...NO_QUOTAS, ...numbers, beyondRate, roles: Object.freeze(roles) });
}

function boundsRate({ roles }: Quotas): boolean {
  return roles.messagesPerSecond !== undefined || roles.bytesPerSecond !== undefined;
}
