// From roles to what holds for one identity on one connection: its placeholders' values, and which of the rules `from` and
// `via` keep out. The rules themselves stay with the roles.

import type { Subject } from '../ports/access.ts';
import type { Quotas } from '../ports/quotas.ts';
import { isWithin } from './address-range.ts';
import { type Policy, type Role, rolesOf } from './policy.ts';
import { mergeQuotas } from './quotas.ts';
import { type Action, type Placeholder, placeholderOf, type Rule } from './rule.ts';
import type { PlaceholderValues } from './rule-index.ts';

export interface CompiledRules {
  readonly subject: Subject;
  /** Roles whose rules hold. */
  readonly roles: readonly Role[];
  /** Roles that grant nothing, each with the reason. */
  readonly idleRoles: readonly string[];
  readonly values: PlaceholderValues;
  readonly quotas: Quotas;
  /** Sentences about the rules that were asked for, by action: a flood of refusals makes each once. */
  readonly inventories: Map<Action, string>;
}

/** The rules that hold for the subject: of its registered roles, those of its groups, and the one that the listener gives. */
export function compileRules(policy: Policy, subject: Subject): CompiledRules {
  const roles: Role[] = [];
  const idleRoles: string[] = [];
  const listenerRole = subject.facts.listener.role;
  for (const name of rolesOf(policy, subject.identity, listenerRole)) {
    const role = policy.roles.get(name);
    if (role === undefined) idleRoles.push(`the policy has no role ${name}`);
    else if (role.listenerOnly && listenerRole !== name) {
      idleRoles.push(`role ${name} counts only on a listener that gives it`);
    } else roles.push(role);
  }
  const quotas = mergeQuotas(roles.map((role) => role.quotas));
  return { subject, roles, idleRoles, values: valuesOf(subject), quotas, inventories: new Map() };
}

/** True unless `via` or `from` keeps the rule out on this connection. Makes no text: it may be asked of thousands of rules. */
export function holdsHere({ conditions: { via, from } }: Rule, { facts }: Subject): boolean {
  return (via === undefined || via === facts.listener.name) && (from === undefined || isWithin(from, facts.address));
}

/** Why the rule cannot hold on this connection, by `via` and `from`; undefined if it can. */
export function hindrance({ conditions: { via, from } }: Rule, { facts }: Subject): string | undefined {
  if (via !== undefined && via !== facts.listener.name) return `only via ${via}`;
  if (from !== undefined && !isWithin(from, facts.address)) return `only from ${from.text}`;
  return undefined;
}

/** The rule with its placeholders filled, or why it cannot apply on this connection. */
export function readRule(
  compiled: CompiledRules,
  rule: Rule,
): { readonly filter: string; readonly text: string; readonly because?: undefined } | { readonly because: string } {
  const because = hindrance(rule, compiled.subject);
  if (because !== undefined) return { because };
  const levels = rule.filter.split('/');
  for (let i = 0; i < levels.length; i++) {
    const placeholder = placeholderOf(levels[i] as string);
    if (placeholder === undefined) continue;
    const value = compiled.values[placeholder];
    if (value === undefined) return { because: unfilled(placeholder, compiled.subject) };
    // A value never turns a rule into one about $-topics.
    if (i === 0 && value.startsWith('$')) return { because: `the value of \${${placeholder}} cannot stand in a topic` };
    levels[i] = value;
  }
  const filter = levels.join('/');
  return { filter, text: rule.text.replace(rule.filter, () => filter) };
}

function unfilled(placeholder: Placeholder, subject: Subject): string {
  return valueOf(placeholder, subject) === undefined
    ? `no value for \${${placeholder}}`
    : `the value of \${${placeholder}} cannot stand in a topic`;
}

function valuesOf(subject: Subject): PlaceholderValues {
  const plain = (placeholder: Placeholder): string | undefined => {
    const value = valueOf(placeholder, subject);
    // A value never becomes more than one plain level.
    return value === undefined || value === '' || /[/+#\0]/.test(value) ? undefined : value;
  };
  return { device: plain('device'), user: plain('user'), client: plain('client') };
}

function valueOf(placeholder: Placeholder, subject: Subject): string | undefined {
  const { identity, clientId, facts } = subject;
  switch (placeholder) {
    case 'device':
      return identity.kind === 'device' ? identity.name : undefined;
    case 'user':
      return identity.kind === 'user' ? identity.name : undefined;
    case 'client': {
      // Elsewhere the client chooses it freely.
      const { authentication, clientIds } = facts.listener;
      return authentication !== 'none' && clientIds === 'own' ? clientId : undefined;
    }
    default:
      return placeholder satisfies never;
  }
}
