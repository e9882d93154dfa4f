// The one decision function. Every path asks it: publish, will, subscribe, retained, queued, shared. The order of rules
// plays no part: a matching deny wins, else a matching allow, else no.

import type { QoS } from '@motte/wire';
import { type CompiledRules, holdsHere } from './compile.ts';
import { type Action, concerns } from './rule.ts';
import { collectCovering, type IndexedRule, type MessageConditions } from './rule-index.ts';

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
  readonly by: IndexedRule | undefined;
  /** An allow that only the message failed to meet. */
  readonly missed: IndexedRule | undefined;
}

/**
 * Decides. `target` is the topic name of a message, or the plain filter of a subscription. Without a message, publish and
 * receive answer for every message to that topic.
 *
 * A subscription carries no message. An allow with conditions on messages grants it, a deny with such conditions does not
 * refuse it, and both are asked again for each message: subscribe rules are receive rules as well.
 */
export function decide(
  compiled: CompiledRules,
  action: Action,
  target: string,
  message: MessageFacts | undefined,
): Decision {
  let allow: IndexedRule | undefined;
  let mayAllow: IndexedRule | undefined;
  let mayDeny: IndexedRule | undefined;
  let missed: IndexedRule | undefined;
  for (const one of applying(compiled, action, target)) {
    const {
      rule: { effect },
      conditions,
    } = one;
    if (conditions === undefined) {
      if (effect === 'deny') return { outcome: 'deny', by: one, missed: undefined };
      allow ??= one;
    } else if (action === 'subscribe') {
      if (effect === 'allow') allow ??= one;
    } else if (message === undefined) {
      if (effect === 'deny') mayDeny ??= one;
      else mayAllow ??= one;
    } else if (isMet(conditions, message)) {
      if (effect === 'deny') return { outcome: 'deny', by: one, missed: undefined };
      allow ??= one;
    } else if (effect === 'allow') {
      missed ??= one;
    }
  }
  if (allow === undefined && mayAllow === undefined) return { outcome: 'deny', by: undefined, missed };
  if (allow === undefined || mayDeny !== undefined) return { outcome: 'ask', by: mayDeny ?? mayAllow, missed };
  return { outcome: 'allow', by: allow, missed };
}

/** The rules on this action that hold on this connection and cover the target, whatever their conditions on messages. */
export function applying(compiled: CompiledRules, action: Action, target: string): IndexedRule[] {
  const covering: IndexedRule[] = [];
  for (const { index } of compiled.roles) collectCovering(index, target, compiled.values, covering);
  const holds = ({ rule }: IndexedRule) => concerns(rule, action) && holdsHere(rule, compiled.subject);
  return covering.every(holds) ? covering : covering.filter(holds);
}

/** The rules that allow it, of which any other is enough where one is gone. */
export function allowing(
  compiled: CompiledRules,
  action: Action,
  target: string,
  message: MessageFacts | undefined,
): IndexedRule[] {
  return applying(compiled, action, target).filter(
    ({ rule, conditions }) =>
      rule.effect === 'allow' && (conditions === undefined || message === undefined || isMet(conditions, message)),
  );
}

function isMet(conditions: MessageConditions, message: MessageFacts): boolean {
  if (message.qos > conditions.qosMax) return false;
  if (conditions.noRetain && message.retain) return false;
  return !conditions.sealed || message.sealed;
}
