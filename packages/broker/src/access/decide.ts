// The one decision function. Every path asks it: publish, will, subscribe, retained, queued, shared. The order of rules
// plays no part: a matching deny wins, else a matching allow, else no.

import { filterCovers, type QoS, topicMatches } from '@motte/wire';
import type { CompiledRule, MessageConditions } from './compile.ts';
import type { RuleAction } from './rule.ts';

export type Action = 'publish' | 'subscribe' | 'receive';

/** What conditions look at. */
export interface MessageFacts {
  readonly qos: QoS;
  readonly retain: boolean;
  readonly sealed: boolean;
}

export interface Decision {
  /** `ask` = it depends on the message, and none was given. */
  readonly outcome: 'allow' | 'deny' | 'ask';
  /** The rule that decided; undefined if no rule allows. */
  readonly by: CompiledRule | undefined;
  /** An allow that only the message failed to meet. */
  readonly missed: CompiledRule | undefined;
}

/**
 * Decides. `target` is the topic name of a message, or the plain filter of a subscription. Without a message, publish and
 * receive answer for every message to that topic.
 *
 * A subscription carries no message. An allow with conditions on messages grants it, a deny with such conditions does not
 * refuse it, and both are asked again for each message: subscribe rules are receive rules as well.
 */
export function decide(
  rules: readonly CompiledRule[],
  action: Action,
  target: string,
  message: MessageFacts | undefined,
): Decision {
  let allow: CompiledRule | undefined;
  let mayAllow: CompiledRule | undefined;
  let mayDeny: CompiledRule | undefined;
  let missed: CompiledRule | undefined;
  for (const rule of rules) {
    if (!CONCERNS[action].includes(rule.action)) continue;
    const matches = action === 'subscribe' ? filterCovers(rule.filter, target) : topicMatches(rule.filter, target);
    if (!matches) continue;
    const { effect, conditions } = rule;
    if (conditions === undefined) {
      if (effect === 'deny') return { outcome: 'deny', by: rule, missed: undefined };
      allow ??= rule;
    } else if (action === 'subscribe') {
      if (effect === 'allow') allow ??= rule;
    } else if (message === undefined) {
      if (effect === 'deny') mayDeny ??= rule;
      else mayAllow ??= rule;
    } else if (isMet(conditions, message)) {
      if (effect === 'deny') return { outcome: 'deny', by: rule, missed: undefined };
      allow ??= rule;
    } else if (effect === 'allow') {
      missed ??= rule;
    }
  }
  if (allow === undefined && mayAllow === undefined) return { outcome: 'deny', by: undefined, missed };
  if (allow === undefined || mayDeny !== undefined) return { outcome: 'ask', by: mayDeny ?? mayAllow, missed };
  return { outcome: 'allow', by: allow, missed };
}

/** True if the rule speaks of the action: who may subscribe may receive, who may not subscribe may not. */
export function concerns(rule: { readonly action: RuleAction }, action: Action): boolean {
  return CONCERNS[action].includes(rule.action);
}

function isMet(conditions: MessageConditions, message: MessageFacts): boolean {
  if (message.qos > conditions.qosMax) return false;
  if (conditions.noRetain && message.retain) return false;
  return !conditions.sealed || message.sealed;
}

const CONCERNS: { readonly [A in Action]: readonly RuleAction[] } = {
  publish: ['publish', 'all'],
  subscribe: ['subscribe', 'all'],
  receive: ['receive', 'subscribe', 'all'],
};
