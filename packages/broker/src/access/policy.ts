// The policy as access works with it: roles, who has them by group, and the tests that it must pass. Where it comes from
// (built in, a file, the store) is others' part.

import { type Identity, identityKey } from '../ports/identity.ts';
import type { Quotas } from '../ports/quotas.ts';
import type { PolicyTest } from './policy-test.ts';
import { completeQuotas, type RoleQuotas } from './quotas.ts';
import { parseRule, type Rule } from './rule.ts';
import { indexRules, type RuleIndex } from './rule-index.ts';

export interface Role {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** True: counts only on a listener that gives this role to everyone, which takes a waiver; never by registration. */
  readonly listenerOnly: boolean;
  /** Of those who have no other role with any. */
  readonly quotas: Quotas;
  /** Made once, and asked for every identity that has the role. */
  readonly index: RuleIndex;
}

export interface Group {
  readonly name: string;
  readonly roles: readonly string[];
  /** Keys of identities. */
  readonly members: readonly string[];
  /** FILE:LINE:COLUMN. */
  readonly place: string;
}

/** Roles of those whom nothing else gives one, by what they are. */
export interface RoleDefaults {
  readonly device: readonly string[];
  readonly user: readonly string[];
}

export interface PolicyParts {
  readonly groups: readonly Group[];
  readonly defaults: RoleDefaults;
  readonly tests: readonly PolicyTest[];
}

export interface Policy {
  readonly roles: ReadonlyMap<string, Role>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly defaults: RoleDefaults;
  readonly tests: readonly PolicyTest[];
  /** The roles that groups give, by the key of the identity. */
  readonly memberships: ReadonlyMap<string, readonly string[]>;
}

/** A role from the text of its rules. Throws RuleError. */
export function roleOf(name: string, rules: readonly string[], options?: { readonly listenerOnly: boolean }): Role {
  return roleOfRules(
    name,
    rules.map((rule) => parseRule(rule)),
    options?.listenerOnly ?? false,
  );
}

export function roleOfRules(
  name: string,
  rules: readonly Rule[],
  listenerOnly: boolean,
  quotas: RoleQuotas = {},
): Role {
  return { name, rules, listenerOnly, quotas: completeQuotas(name, quotas), index: indexRules(name, rules) };
}

/** A policy of these roles; of two with one name the later stands. */
export function policyOf(roles: readonly Role[], parts: Partial<PolicyParts> = {}): Policy {
  const { groups = [], defaults = { device: [], user: [] }, tests = [] } = parts;
  const memberships = new Map<string, string[]>();
  for (const group of groups) {
    for (const member of group.members) {
      const held = memberships.get(member);
      if (held === undefined) memberships.set(member, [...group.roles]);
      else held.push(...group.roles);
    }
  }
  return {
    roles: new Map(roles.map((role) => [role.name, role])),
    groups: new Map(groups.map((group) => [group.name, group])),
    defaults,
    tests,
    memberships,
  };
}

/** The names of all roles of the identity, each once, whether or not the policy has them. */
export function rolesOf(policy: Policy, identity: Identity, listenerRole: string | undefined): ReadonlySet<string> {
  const names = new Set(identity.roles);
  for (const name of policy.memberships.get(identityKey(identity)) ?? []) names.add(name);
  if (listenerRole !== undefined) names.add(listenerRole);
  if (names.size === 0 && identity.kind !== 'anonymous') return new Set(policy.defaults[identity.kind]);
  return names;
}
