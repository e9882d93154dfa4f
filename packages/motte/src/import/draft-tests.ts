// Tests of an imported policy: for each role something that somebody with it may do and something that it may not, both taken from
// what the set-up itself says. A test is only written where mosquitto is sure to decide the same, and where the policy passes it. Which roles there are, and who has them, is the plan's.

import { parseRule, type Rule, runTests } from '@motte/broker/policy';
import { parsePolicy } from '../policy/document.ts';
import { type DraftPolicy, quoted } from './draft-policy.ts';
import { covers, meet } from './filters.ts';
import type { Rights, SourceEntry } from './rights.ts';

/** The roles of one scope, and what it says. */
export interface TestedScope {
  readonly roles: readonly string[];
  readonly rights: Rights;
  /** A listener on which they hold; undefined = on all. */
  readonly via: string | undefined;
}

/** Somebody, and all the roles that they have. */
export interface Holder {
  readonly name: string;
  /** As a test names them. */
  readonly who: string;
  readonly roles: readonly string[];
}

/** Sentences for `tests`; `render` writes the policy with the tests it is given. */
export function draftTests(
  policy: DraftPolicy,
  scopes: readonly TestedScope[],
  holders: readonly Holder[],
  render: (tests: readonly string[]) => string,
): string[] {
  const wanted = scopes.flatMap((scope) => scope.roles.map((role) => ({ role, scope }))).slice(0, ROLES_MAX);
  const others = scopes.flatMap(({ roles }) => roles.flatMap((role) => rulesOf(policy, role).slice(0, RULES_EACH)));
  const choices = wanted.flatMap(({ role, scope }) => {
    const holder = holders.find(({ roles }) => roles.includes(role));
    if (holder === undefined) return [];
    const asker = new Asker(holder, scope);
    return [asker.allowed(rulesOf(policy, role)), asker.denied(others)];
  });
  const failed = new Set(
    runTests(parsePolicy(render([...BUILT_IN, ...choices.flat()]), 'policy.yaml'), () => undefined).failed.map(
      ({ test }) => test.text,
    ),
  );
  return [...new Set([...BUILT_IN, ...choices.flatMap((some) => some.find((text) => !failed.has(text)) ?? [])])];
}

class Asker {
  readonly #holder: Holder;
  readonly #entries: readonly SourceEntry[];
  readonly #end: string;

  constructor(holder: Holder, { rights, via }: TestedScope) {
    this.#holder = holder;
    this.#entries = rights.saysOf(holder.name);
    this.#end = `${via === undefined ? '' : ` via ${via}`} as ${holder.roles.join(',')}`;
  }

  /** What one of the rules allows, and the first that comes near it. */
  allowed(rules: readonly Rule[]): string[] {
    return this.#first(rules, 'may', (action, target) => {
      const first = this.#entries.find((one) => one.action === action && meet(one.filter, target));
      return first?.effect === 'allow' && first.isExact && covers(this.#filled(first.filter), target);
    });
  }

  /** What somebody else may do, and nothing that is said of this one comes near; at last what nobody may. */
  denied(rules: readonly Rule[]): string[] {
    const found = this.#first(rules, 'may not', (action, target) => {
      const allows = this.#entries.filter((entry) => entry.action === action && entry.effect === 'allow');
      return !target.startsWith('$') && !allows.some(({ filter }) => meet(filter, target));
    });
    return [...found, this.#sentence('may not', 'publish', NOBODYS)];
  }

  #first(
    rules: readonly Rule[],
    may: 'may' | 'may not',
    isSure: (action: SourceEntry['action'], target: string) => boolean,
  ): string[] {
    const found: string[] = [];
    for (const { effect, action, filter } of rules) {
      if (effect === 'deny' || action === 'receive') continue;
      for (const one of action === 'all' ? (['publish', 'subscribe'] as const) : [action]) {
        const target = this.#filled(one === 'publish' ? topicOf(filter) : filter);
        if (isSure(one, target)) found.push(this.#sentence(may, one, target));
      }
      if (found.length >= CHOICES) break;
    }
    return found.filter((text) => text.length <= TEXT_MAX).slice(0, CHOICES);
  }

  #filled(filter: string): string {
    return filter.replaceAll(/\$\{(?:user|device|client)\}/g, () => this.#holder.name);
  }

  #sentence(may: string, action: string, target: string): string {
    return `${this.#holder.who} ${may} ${action} ${quoted(target)}${this.#end}`;
  }
}

function rulesOf({ roles }: DraftPolicy, role: string): Rule[] {
  return [...(roles.get(role)?.rules ?? [])].slice(0, RULES_MAX).map((text) => parseRule(text));
}

/** One of the filter's. */
function topicOf(filter: string): string {
  return filter
    .split('/')
    .map((level) => (level === '+' || level === '#' ? 'x' : level))
    .join('/');
}

/** Where mosquitto lets nobody publish. */
const NOBODYS = '$SYS/broker/uptime';

/** Of the roles that every policy of an import begins with. */
const BUILT_IN: readonly string[] = [
  'pump-1 may publish devices/pump-1/up/x as device',
  'pump-1 may not publish devices/pump-2/up/x as device',
  'panel may subscribe devices/# as operator',
  'panel may not publish devices/pump-1/up/x as operator',
];

/** Two tests each: as many as somebody reads. */
const ROLES_MAX = 200;
/** Of one role. */
const RULES_MAX = 50;
/** Of one role, to ask others about. */
const RULES_EACH = 2;
/** Of which the first that the policy passes is written. */
const CHOICES = 4;
const TEXT_MAX = 500;
