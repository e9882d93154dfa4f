// Refusals in words for the operator: which rule said no, or that none says yes and what the rules are.

import type { QoS } from '@motte/wire';
import { type Refusal, refuse } from '../ports/verdict.ts';
import { type CompiledRules, readRule } from './compile.ts';
import type { Decision, MessageFacts } from './decide.ts';
import type { Action, Rule } from './rule.ts';
import type { IndexedRule } from './rule-index.ts';

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
    const { label, rule } = decision.by;
    return refuse('not-authorized', `${label} denies ${what}: ${textFor(compiled, rule)}`, label);
  }
  if (decision.missed !== undefined && message !== undefined) {
    const { label } = decision.missed;
    const unmet = unmetConditions(decision.missed, message);
    return refuse('not-authorized', `${label} allows ${what} only ${unmet}`, label);
  }
  const who = holderOf(compiled);
  return refuse('not-authorized', `${who}: no rule allows ${what}; ${inventory(compiled, action)}`, who);
}

function holderOf({ roles }: CompiledRules): string {
  if (roles.length === 0) return 'no role';
  const names = roles.map(({ name }) => name).join(', ');
  return roles.length === 1 ? `role ${names}` : `roles ${names}`;
}

function inventory(compiled: CompiledRules, action: Action): string {
  const known = compiled.inventories.get(action);
  if (known !== undefined) return known;
  const made = listRules(compiled, action);
  compiled.inventories.set(action, made);
  return made;
}

/** Looks at as many rules as it lists, however many there are. */
function listRules(compiled: CompiledRules, action: Action): string {
  const listed: string[] = [];
  let total = 0;
  for (const { index } of compiled.roles) {
    const allows = index.allows[action];
    total += allows.length;
    for (const rule of allows.slice(0, LISTED_MAX - listed.length)) {
      const read = readRule(compiled, rule);
      listed.push(read.because === undefined ? shown(read.text) : `${shown(rule.text)} (${read.because})`);
    }
  }
  const more = total > listed.length ? `; and ${total - listed.length} more` : '';
  const rules = total === 0 ? `there is no rule on ${action}` : `its rules are: ${listed.join('; ')}${more}`;
  return [rules, ...compiled.idleRoles].join('; ');
}

function textFor(compiled: CompiledRules, rule: Rule): string {
  const read = readRule(compiled, rule);
  return shown(read.because === undefined ? read.text : rule.text);
}

/** Empty = the message meets them. */
export function unmetConditions({ conditions }: Pick<IndexedRule, 'conditions'>, message: MessageFacts): string {
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
