// What is right in a policy by its grammar and most likely not meant: rules that can never act, rules that give everything,
// roles that no test looks at, roles that are gone.

import { levelsOf } from '@motte/wire';
import type { ListenerFacts } from '../ports/connection-facts.ts';
import type { RegisteredIdentity } from '../ports/directory.ts';
import { identityLabel } from '../ports/identity.ts';
import type { Policy, Role } from './policy.ts';
import { concerns, placeholderOf, type Rule } from './rule.ts';
import { collectCovering, type IndexedRule, type RuleIndex, treeOf } from './rule-index.ts';

export const LINTS = {
  'never-matches': 'a rule that nothing can ever meet',
  shadowed: 'an allow that a deny of the same role takes away whole',
  repeated: 'a rule that stands in its role twice',
  wide: 'a rule for all topics, such as `#` or `+/#`',
  'look-alike': 'a level of a filter that mixes letters of several scripts',
  'unknown-role': 'a role that somebody or a listener has and the policy lacks: it grants nothing',
  'unknown-listener': 'a rule for a listener that the configuration lacks',
  'idle-group': 'a group without members or without roles',
  untested: 'a role that no test of the policy looks at',
} as const;

export type LintId = keyof typeof LINTS;

export interface Finding {
  readonly id: LintId;
  /** FILE:LINE:COLUMN; empty where it is about no line. */
  readonly place: string;
  readonly why: string;
}

export interface LintWorld {
  /** Undefined = not known. */
  readonly identities: readonly RegisteredIdentity[] | undefined;
  /** Undefined = not known. */
  readonly listeners: readonly Pick<ListenerFacts, 'name' | 'role'>[] | undefined;
  /** Roles that took part in the tests. */
  readonly tested: ReadonlySet<string>;
}

/** All findings, up to a limit; those of rules first, in their order. */
export function lintPolicy(policy: Policy, world: LintWorld): readonly Finding[] {
  const findings: Finding[] = [];
  for (const role of policy.roles.values()) {
    lintRules(role, world, findings);
    if (!world.tested.has(role.name) && !role.listenerOnly) {
      const why = `no test looks at the role ${role.name}`;
      findings.push({ id: 'untested', place: role.rules[0]?.place ?? '', why });
    }
    if (findings.length >= FINDINGS_MAX) return findings.slice(0, FINDINGS_MAX);
  }
  for (const { name, members, roles, place } of policy.groups.values()) {
    const lack = members.length === 0 ? 'members' : roles.length === 0 ? 'roles' : undefined;
    if (lack !== undefined) findings.push({ id: 'idle-group', place, why: `the group ${name} has no ${lack}` });
  }
  for (const { name, role } of world.listeners ?? []) {
    if (role === undefined || policy.roles.has(role)) continue;
    findings.push({ id: 'unknown-role', place: '', why: `the listener ${name} gives ${role}, which the policy lacks` });
  }
  return [...findings, ...lintRegistry(policy, world.identities ?? [])].slice(0, FINDINGS_MAX);
}

/** Whom the policy takes a role from by lacking it; up to the same limit. */
export function lintRegistry(policy: Policy, identities: Iterable<RegisteredIdentity>): readonly Finding[] {
  const findings: Finding[] = [];
  for (const identity of identities) {
    const lost = identity.roles.filter((name) => !policy.roles.has(name));
    if (lost.length === 0) continue;
    const why = `${identityLabel(identity)} is registered with ${lost.join(', ')}, which the policy lacks`;
    findings.push({ id: 'unknown-role', place: '', why });
    if (findings.length >= FINDINGS_MAX) break;
  }
  return findings;
}

function lintRules(role: Role, { listeners }: LintWorld, findings: Finding[]): void {
  const seen = new Set<string>();
  const denies = unconditionalDenies(role);
  for (const rule of role.rules) {
    const add = (id: LintId, why: string): void => {
      findings.push({ id, place: rule.place ?? '', why: `role ${role.name}: ${rule.text}: ${why}` });
    };
    const never = whyNever(rule);
    if (never !== undefined) add('never-matches', never);
    const deny = rule.effect === 'allow' ? shadowOf(denies, rule) : undefined;
    if (deny !== undefined) add('shadowed', `${deny.label} denies all of it: ${deny.rule.text}`);
    if (seen.has(keyOf(rule))) add('repeated', 'it stands there twice');
    seen.add(keyOf(rule));
    if (rule.effect === 'allow' && !role.listenerOnly && isForAll(rule.filter)) add('wide', 'it is for all topics');
    const odd = mixedLevel(rule.filter);
    if (odd !== undefined) add('look-alike', `"${odd}" mixes letters of several scripts`);
    const { via } = rule.conditions;
    if (via !== undefined && listeners?.some(({ name }) => name === via) === false)
      add('unknown-listener', `there is no listener ${via}`);
    if (findings.length >= FINDINGS_MAX) return;
  }
}

/** Why no topic and nobody can meet the rule. */
function whyNever({ filter }: Rule): string | undefined {
  const levels = filter.split('/');
  const named = new Set(levels.map(placeholderOf));
  if (named.has('device') && named.has('user')) return 'nobody is a device and a user';
  return levelsOf(filter) > TOPIC_LEVELS ? `no topic has more than ${TOPIC_LEVELS} levels` : undefined;
}

/** Those that can take an allow away whole, each once: rules of one filter or below one are not compared in pairs. */
function unconditionalDenies({ index }: Role): Pick<RuleIndex, 'root'> {
  const kept = new Map<string, IndexedRule>();
  for (const one of index.rules) {
    const { effect, action, filter, conditions } = one.rule;
    const isPlain = one.conditions === undefined && conditions.from === undefined && conditions.via === undefined;
    const key = `${action} ${filter}`;
    if (effect === 'deny' && isPlain && !kept.has(key)) kept.set(key, one);
  }
  return { root: treeOf(kept.values()) };
}

/** The deny that covers the rule in all that it allows. */
function shadowOf(denies: Pick<RuleIndex, 'root'>, rule: Rule): IndexedRule | undefined {
  const covering: IndexedRule[] = [];
  collectCovering(denies, standIn(rule.filter), STAND_INS, covering);
  return covering.find(({ rule: other }) =>
    rule.action === 'all' ? other.action === 'all' : concerns(other, rule.action),
  );
}

/** Placeholders as levels of their own, which no filter can have written out. */
function standIn(filter: string): string {
  return filter
    .split('/')
    .map((level) => {
      const placeholder = placeholderOf(level);
      return placeholder === undefined ? level : STAND_INS[placeholder];
    })
    .join('/');
}

function keyOf({ effect, action, filter, conditions: { qosMax, noRetain, sealed, from, via } }: Rule): string {
  return JSON.stringify([effect, action, filter, qosMax, noRetain, sealed, from?.text, via]);
}

function isForAll(filter: string): boolean {
  return filter.split('/').every((level) => level === '+' || level === '#');
}

function mixedLevel(filter: string): string | undefined {
  if (ASCII.test(filter)) return undefined;
  return filter.split('/').find((level) => SCRIPTS.filter((script) => script.test(level)).length > 1);
}

/** As the limit of topics is by default; one that a broker has lowered it tells by itself. */
const TOPIC_LEVELS = 128;
export const FINDINGS_MAX = 200;
const STAND_INS = { device: '\u0001device', user: '\u0001user', client: '\u0001client' } as const;
const ASCII = /^[ -~]*$/;
const SCRIPTS = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u];
