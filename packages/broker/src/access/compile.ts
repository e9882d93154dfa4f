// From roles to the rules that hold for one identity on one connection: placeholders filled, `from` and `via` settled.
// What is left depends on topic and message alone.

import { PeerError, parseTopicFilter, type TopicFilter } from '@motte/wire';
import type { Subject } from '../ports/access.ts';
import { isWithin } from './address-range.ts';
import type { Policy, Role } from './policy.ts';
import {
  type Placeholder,
  placeholderOf,
  type Rule,
  type RuleAction,
  type RuleConditions,
  type RuleEffect,
} from './rule.ts';

/** Conditions that only a message can meet. */
export type MessageConditions = Pick<RuleConditions, 'qosMax' | 'noRetain' | 'sealed'>;

export interface CompiledRule {
  readonly effect: RuleEffect;
  readonly action: RuleAction;
  readonly filter: TopicFilter;
  /** Undefined = holds for every message. */
  readonly conditions: MessageConditions | undefined;
  /** Such as `role operator, rule 2`. */
  readonly label: string;
  /** The rule with its placeholders filled. */
  readonly text: string;
}

/** A rule of one of the identity's roles that cannot apply on this connection. */
export interface DormantRule {
  readonly action: RuleAction;
  readonly effect: RuleEffect;
  readonly text: string;
  readonly because: string;
}

export interface CompiledRules {
  readonly rules: readonly CompiledRule[];
  readonly dormant: readonly DormantRule[];
  /** Roles whose rules were taken. */
  readonly roles: readonly string[];
  /** Roles that grant nothing, each with the reason. */
  readonly idleRoles: readonly string[];
}

/** The rules that hold for the subject: those of its registered roles and of the role that the listener gives. */
export function compileRules(policy: Policy, subject: Subject): CompiledRules {
  const rules: CompiledRule[] = [];
  const dormant: DormantRule[] = [];
  const roles: string[] = [];
  const idleRoles: string[] = [];
  const listenerRole = subject.facts.listener.role;
  for (const name of new Set(
    listenerRole === undefined ? subject.identity.roles : [...subject.identity.roles, listenerRole],
  )) {
    const role = policy.roles.get(name);
    if (role === undefined) {
      idleRoles.push(`the policy has no role ${name}`);
    } else if (role.listenerOnly && listenerRole !== name) {
      idleRoles.push(`role ${name} counts only on a listener that gives it`);
    } else {
      roles.push(name);
      compileRole(role, subject, rules, dormant);
    }
  }
  return { rules, dormant, roles, idleRoles };
}

function compileRole(role: Role, subject: Subject, rules: CompiledRule[], dormant: DormantRule[]): void {
  role.rules.forEach((rule, i) => {
    const because = hindrance(rule, subject);
    if (because !== undefined) {
      dormant.push({ action: rule.action, effect: rule.effect, text: rule.text, because });
      return;
    }
    const filter = fill(rule.filter, subject);
    if (typeof filter !== 'string') {
      dormant.push({ action: rule.action, effect: rule.effect, text: rule.text, because: filter.because });
      return;
    }
    const { qosMax, noRetain, sealed } = rule.conditions;
    rules.push({
      effect: rule.effect,
      action: rule.action,
      filter,
      conditions: qosMax < 2 || noRetain || sealed ? { qosMax, noRetain, sealed } : undefined,
      label: `role ${role.name}, rule ${i + 1}`,
      text: rule.text.replace(rule.filter, () => filter),
    });
  });
}

/** Why the rule cannot hold on this connection; undefined if it can. */
function hindrance(rule: Rule, subject: Subject): string | undefined {
  const { from, via } = rule.conditions;
  if (via !== undefined && via !== subject.facts.listener.name) return `only via ${via}`;
  if (from !== undefined && !isWithin(from, subject.facts.address)) return `only from ${from.text}`;
  return undefined;
}

function fill(template: string, subject: Subject): TopicFilter | { readonly because: string } {
  const levels = template.split('/');
  for (let i = 0; i < levels.length; i++) {
    const placeholder = placeholderOf(levels[i] as string);
    if (placeholder === undefined) continue;
    const value = valueOf(placeholder, subject);
    if (value === undefined) return { because: `no value for \${${placeholder}}` };
    // A value never becomes more than one plain level, and never turns a rule into one about $-topics.
    if (/[/+#\0]/.test(value) || value === '' || (i === 0 && value.startsWith('$'))) {
      return { because: `the value of \${${placeholder}} cannot stand in a topic` };
    }
    levels[i] = value;
  }
  try {
    return parseTopicFilter(levels.join('/'));
  } catch (error) {
    if (error instanceof PeerError) return { because: error.message };
    throw error;
  }
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
