// One question about rights and its whole answer: what was decided, by which rule, and what the other rules that speak of the
// topic had to say. By the one decision function, under the circumstances that were given.

import type { Subject } from '../ports/access.ts';
import type { HeldRight } from '../ports/access-desk.ts';
import { type CompiledRules, compileRules, hindrance } from './compile.ts';
import { decide, type MessageFacts } from './decide.ts';
import { explain, unmetConditions } from './explain.ts';
import type { Policy } from './policy.ts';
import { type Action, concerns } from './rule.ts';
import { collectCovering, type IndexedRule } from './rule-index.ts';

export interface Answer {
  readonly allow: boolean;
  readonly because: string;
  readonly rule: string;
  readonly roles: readonly string[];
  /** Rules that speak of action and target, with why each plays no part; empty = it does. */
  readonly considered: readonly { readonly rule: string; readonly text: string; readonly because: string }[];
}

/** `target` is a topic name; of `subscribe` a plain filter. */
export function askPolicy(
  policy: Policy,
  subject: Subject,
  { action, target, message }: { readonly action: Action; readonly target: string; readonly message: MessageFacts },
): Answer {
  const compiled = compileRules(policy, subject);
  const of = action === 'subscribe' ? undefined : message;
  const decision = decide(compiled, action, target, of);
  const considered = coveringRules(compiled, action, target).map(({ rule, label, conditions }) => ({
    rule: label,
    text: rule.text,
    because: hindrance(rule, subject) ?? (of === undefined ? '' : unmetConditions({ conditions }, of)),
  }));
  const roles = compiled.roles.map(({ name }) => name);
  if (decision.outcome === 'allow' && decision.by !== undefined) {
    const { label, rule } = decision.by;
    return { allow: true, because: `${label} allows it: ${rule.text}`, rule: label, roles, considered };
  }
  const { because, rule } = explain(compiled, decision, action, target, of);
  return { allow: false, because, rule, roles, considered };
}

/** Whether the subject may do it with any message, with some, or not at all. */
export function heldRight(policy: Policy, subject: Subject, action: 'publish' | 'receive', topic: string): HeldRight {
  const compiled = compileRules(policy, subject);
  const { outcome } = decide(compiled, action, topic, undefined);
  if (outcome === 'allow') return 'yes';
  if (outcome === 'ask') return 'some';
  // An allow that only `from` or `via` keeps out holds somewhere else, unless a deny for everyone stands against it.
  const covering = coveringRules(compiled, action, topic);
  const isBarred = covering.some(({ rule, conditions }) => {
    const { from, via } = rule.conditions;
    return rule.effect === 'deny' && conditions === undefined && from === undefined && via === undefined;
  });
  return !isBarred && covering.some(({ rule }) => rule.effect === 'allow') ? 'some' : 'no';
}

function coveringRules(compiled: CompiledRules, action: Action, target: string): IndexedRule[] {
  const covering: IndexedRule[] = [];
  for (const { index } of compiled.roles) collectCovering(index, target, compiled.values, covering);
  return covering.filter(({ rule }) => concerns(rule, action));
}
