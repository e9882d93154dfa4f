// The policy as access works with it: roles by name. Where it comes from (built in, a file, the store) is others' part.

import { parseRule, type Rule } from './rule.ts';

export interface Role {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** True: counts only on a listener that gives this role to everyone, which takes a waiver; never by registration. */
  readonly listenerOnly: boolean;
}

export interface Policy {
  readonly roles: ReadonlyMap<string, Role>;
}

/** A role from the text of its rules. Throws RuleError. */
export function roleOf(name: string, rules: readonly string[], options?: { readonly listenerOnly: boolean }): Role {
  return { name, rules: rules.map(parseRule), listenerOnly: options?.listenerOnly ?? false };
}

/** A policy of these roles; of two with one name the later stands. */
export function policyOf(roles: readonly Role[]): Policy {
  return { roles: new Map(roles.map((role) => [role.name, role])) };
}
