// Whether a role gives all of a filter already: of rules about rules, where no client asks and no message is there.

import type { Role } from './policy.ts';
import { type Action, concerns, type Rule } from './rule.ts';
import { collectCovering, type IndexedRule, type PlaceholderValues } from './rule-index.ts';

/** The role's allows that cover every topic of the filter for somebody with these values, whatever their conditions. */
export function allowsOf(role: Role, action: Action, filter: string, values: PlaceholderValues): readonly Rule[] {
  const covering: IndexedRule[] = [];
  collectCovering(role.index, filter, values, covering);
  return covering.map(({ rule }) => rule).filter((rule) => rule.effect === 'allow' && concerns(rule, action));
}
