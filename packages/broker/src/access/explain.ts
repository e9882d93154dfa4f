// Refusals in words for the operator: which rule said no, or that none says yes and what the rules are.

import type { QoS } from '@motte/wire';
import { type Refusal, refuse } from '../ports/verdict.ts';
import type { CompiledRule, CompiledRules } from './compile.ts';
import { type Action, concerns, type Decision, type MessageFacts } from './decide.ts';

/** The refusal that stands for a decision which was not `allow`. */
export function explain(
  compiled: CompiledRules,
  decision: Decision,
  action: Action,
  target: string,
  message: MessageFacts | undefined,
): Refusal {
  const what = `${action} ${shown(target)}`;
  if (decision.by !== undefined) {
    const { label, text } = decision.by;
    return refuse('not-authorized', `${label} denies ${what}: ${shown(text)}`, label);
  }
  if (decision.missed !== undefined && message !== undefined) {
    const { label } = decision.missed;
    const unmet = unmetConditions(decision.missed, message);
    return refuse('not-authorized', `${label} allows ${what} only ${unmet}`, label);
  }
  const who = holderOf(compiled);
  return refuse('not-authorized', `${who}: no rule allows ${what}; ${inventory(compiled, action)}`, who);
}

function holderOf(compiled: CompiledRules): string {
  const { roles } = compiled;
  if (roles.length === 0) return 'no role';
  return roles.length === 1 ? `role ${roles[0]}` : `roles ${roles.join(', ')}`;
}

function inventory(compiled: CompiledRules, action: Action): string {
  const lines: string[] = [];
  for (const rule of compiled.rules) {
    if (rule.effect === 'allow' && concerns(rule, action)) lines.push(shown(rule.text));
  }
  for (const rule of compiled.dormant) {
    if (rule.effect === 'allow' && concerns(rule, action)) lines.push(`${shown(rule.text)} (${rule.because})`);
  }
  const listed = lines.slice(0, LISTED_MAX).join('; ');
  const more = lines.length > LISTED_MAX ? `; and ${lines.length - LISTED_MAX} more` : '';
  const rules = lines.length === 0 ? `there is no rule on ${action}` : `its rules are: ${listed}${more}`;
  return [rules, ...compiled.idleRoles].join('; ');
}

function unmetConditions(rule: CompiledRule, message: MessageFacts): string {
  const { conditions } = rule;
  const unmet: string[] = [];
  if (conditions !== undefined && message.qos > conditions.qosMax) unmet.push(qosText(conditions.qosMax, message.qos));
  if (conditions?.noRetain === true && message.retain) unmet.push('without RETAIN');
  if (conditions?.sealed === true && !message.sealed) unmet.push('sealed, and this payload is not');
  return unmet.join(' and ');
}

function qosText(max: QoS, qos: QoS): string {
  return `with qos<=${max}, and this is QoS ${qos}`;
}

/** Text of a peer's choosing, cut to a readable length and without control characters. */
function shown(text: string): string {
  const cut = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}… (${text.length} characters)` : text;
  return cut.replace(/\p{Cc}/gu, '?');
}

const LISTED_MAX = 8;
const SHOWN_MAX = 200;
