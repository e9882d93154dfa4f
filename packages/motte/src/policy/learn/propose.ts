// From what an identity did to the narrowest rules that cover it, with tests made of what was seen. What it was refused plays no
// part; what its roles deny stays denied. Nothing is applied here or by whoever calls.

import {
  allowsOf,
  POLICY_LIMITS,
  type Policy,
  parsePolicyTest,
  parseRule,
  policyOf,
  type Registered,
  type Role,
  RuleError,
  roleOfRules,
  runTests,
} from '@motte/broker/policy';
import { type Identity, identityLabel } from '@motte/broker/ports/identity';
import type { Proposal } from '@motte/broker/ports/learning';
import type { EndedWatch } from '@motte/broker/ports/watch';
import { printable } from '@motte/broker/printable';
import { type Action, ruleOf, type Seen, type TestLine, testsOf } from './policy-lines.ts';
import { type Naming, type Pattern, patternsOf, writtenOut } from './topic-tree.ts';

type Draft = Omit<Proposal, 'text'>;

export interface ProposeParts {
  readonly identity: Pick<Identity, 'realm' | 'name'>;
  /** In force: its denies are kept, and its names are taken. */
  readonly policy: Policy;
  readonly registered: Registered;
}

export function propose({ why, seconds, record }: EndedWatch, { identity, policy, registered }: ProposeParts): Draft {
  const label = identityLabel(identity);
  const role = freeName(policy, identity.name);
  const kind = record.kind ?? 'anonymous';
  const naming = { name: identity.name, placeholder: PLACEHOLDERS[kind] };
  // Of the client identifiers that are tied to the name, that one alone is a level.
  const values = { device: undefined, user: undefined, client: identity.name, [kind]: identity.name };
  const held = { roles: record.roles.flatMap((name) => policy.roles.get(name) ?? []), naming, values };
  const unsaid: { action: string; target: string; why: string }[] = [];
  const rules: string[] = [];
  const lines: TestLine[] = [];
  const take = (action: Action, all: readonly Seen[]): void => {
    const sayable = all.filter(({ target }) => {
      const why = whyUnsayable(target);
      if (why !== undefined) unsaid.push({ action, target, why });
      return why === undefined;
    });
    for (const group of byTerms(sayable)) {
      // Nothing is proposed that it does not have already.
      const patterns = patternsOf(group, naming, action === 'publish').flatMap((pattern) =>
        isHeld(action, pattern, held) ? pattern : writtenOut(pattern.acts, naming),
      );
      for (const pattern of patterns) {
        const rule = ruleOf(action, pattern);
        const fault = isHeld(action, pattern, held)
          ? faultOf(rule, (text) => parseRule(text))
          : 'no rule in force gives it whole';
        if (fault === undefined) {
          rules.push(rule);
          lines.push(...testsOf(action, pattern, { label, role, naming }));
        } else for (const { target } of pattern.acts) unsaid.push({ action, target, why: fault });
      }
    }
  };
  take(
    'publish',
    record.publishes.map(({ topic, ...rest }) => ({ target: topic, ...rest })),
  );
  take(
    'subscribe',
    record.filters.map(({ filter, terms }) => ({
      target: filter,
      qosMax: terms.qosMax,
      retained: !terms.noRetain,
      terms,
    })),
  );
  const denies = deniesOf(policy, record.roles);
  const made = roleOfRules(
    role,
    [...rules, ...denies.map(({ rule }) => rule)].map((text) => parseRule(text)),
    false,
  );
  const tests: string[] = [];
  for (const { text, action, target, isOfNeighbour } of lines) {
    const fault = faultOf(text, (line) => {
      const [failed] = runTests(policyOf([made], { tests: [parsePolicyTest(line, '')] }), registered).failed;
      if (failed !== undefined) throw new RuleError(line, 0, failed.because, '');
    });
    if (fault === undefined) tests.push(text);
    // A neighbour may well be covered by what was seen; what it did itself has to be.
    else if (!isOfNeighbour) unsaid.push({ action, target, why: `no test can show it: ${fault}` });
  }
  const { publishes, filters, refusals, roles, unkept } = record;
  return {
    identity: label,
    ended: why,
    seconds,
    seen: { topics: publishes.length, filters: filters.length, refusals: refusals.length },
    roles,
    role,
    rules,
    denies,
    tests,
    refused: refusals,
    unsaid,
    unkept,
  };
}

/** What the identity has already. */
interface Held {
  readonly roles: readonly Role[];
  readonly naming: Naming;
  readonly values: Parameters<typeof allowsOf>[3];
}

/** True if one of its rules gives all that the pattern would, on the same terms or on fewer. */
function isHeld(
  action: Action,
  { filter, acts }: Pattern<Seen>,
  { roles, naming: { name, placeholder }, values }: Held,
): boolean {
  const { from, via } = (acts[0] as Seen).terms;
  const plain = filter.split('/').map((level) => (level === placeholder ? name : level));
  const rules = roles.flatMap((role) => allowsOf(role, action, plain.join('/'), values));
  return rules.some(({ conditions }) => {
    const isFrom = conditions.from === undefined || conditions.from.text === from;
    const isVia = conditions.via === undefined || conditions.via === via;
    const isMet = ({ qosMax, retained }: Seen) => qosMax <= conditions.qosMax && !(retained && conditions.noRetain);
    return isFrom && isVia && acts.every(isMet);
  });
}

function deniesOf(policy: Policy, roles: readonly string[]): Draft['denies'] {
  const denies = new Map<string, Draft['denies'][number]>();
  for (const role of roles) {
    for (const { effect, text, place } of policy.roles.get(role)?.rules ?? []) {
      if (effect === 'deny' && !denies.has(text)) denies.set(text, { role, rule: text, place: place ?? 'built in' });
    }
  }
  return [...denies.values()];
}

/** Apart by the terms on which it was allowed: a right that held in one place only becomes none that holds everywhere. */
function byTerms(all: readonly Seen[]): Iterable<readonly Seen[]> {
  const groups = new Map<string, Seen[]>();
  for (const one of all) {
    const { from, via, qosMax, noRetain } = one.terms;
    const key = JSON.stringify([from, via, qosMax, noRetain]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups.values();
}

function whyUnsayable(target: string): string | undefined {
  if (target.includes('${')) return 'rules would take ${ for a placeholder';
  // Whoever reviews it would see something else than what is applied.
  return printable(target, target.length) === target ? undefined : 'it has characters that are not shown as they are';
}

/** Why a line of the policy cannot be so; undefined = it can. */
function faultOf(text: string, read: (text: string) => unknown): string | undefined {
  if (text.length > POLICY_LIMITS.lineMax) return `the line would have more than ${POLICY_LIMITS.lineMax} characters`;
  try {
    read(text);
    return undefined;
  } catch (fault) {
    if (fault instanceof RuleError) return fault.why;
    throw fault;
  }
}

function freeName(policy: Policy, name: string): string {
  const wanted = `learned-${name}`.slice(0, NAME_MAX);
  let free = wanted;
  for (let i = 2; policy.roles.has(free); i++) free = `${wanted.slice(0, NAME_MAX - 1 - String(i).length)}-${i}`;
  return free;
}

const PLACEHOLDERS = { device: '$' + '{device}', user: '$' + '{user}', anonymous: undefined } as const;
const NAME_MAX = 63;
