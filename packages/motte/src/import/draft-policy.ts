// A policy in the making: roles, and who has them; where each rule comes from. What cannot be written as a rule of Motte is
// left out if it allows, and said more widely if it denies, so that nothing is opened.

import { MotteError } from '@motte/admin/errors';
import { nameFault, POLICY_LIMITS, parseRule, RuleError } from '@motte/broker/policy';
import { common } from './filters.ts';
import type { ImportReport } from './report.ts';
import { type Place, placeText, SourceRefused } from './source.ts';

export interface DraftRule {
  readonly effect: 'allow' | 'deny';
  readonly action: 'publish' | 'subscribe' | 'receive' | 'all';
  /** In Motte's grammar, or as near to it as could be. */
  readonly filter: string;
  readonly place: Place;
}

export interface DraftRole {
  readonly name: string;
  /** Only what a listener gives to everyone on it. */
  readonly listenerOnly: boolean;
  readonly rules: Set<string>;
}

/** What holds for every rule of a scope. */
export interface Conditions {
  /** Listeners of Motte over which the rule holds; undefined = all. */
  readonly via: readonly string[] | undefined;
  /** Behind each rule that allows to publish, such as ` no-retain`. */
  readonly publishing: string;
}

export class DraftPolicy {
  readonly roles = new Map<string, DraftRole>();
  /** Roles and members of each. */
  readonly groups = new Map<string, { readonly roles: readonly string[]; readonly members: string[] }>();
  readonly #report: ImportReport;
  #rules = 0;

  constructor(report: ImportReport) {
    this.#report = report;
  }

  /** A role of a name of its own, as near to the wanted one as can be. */
  addRole(wanted: string, options: { readonly listenerOnly?: boolean } = {}): DraftRole {
    const role = {
      name: freeName(wanted, this.roles),
      listenerOnly: options.listenerOnly === true,
      rules: new Set<string>(),
    };
    this.roles.set(role.name, role);
    return role;
  }

  addGroup(wanted: string, roles: readonly string[], members: readonly string[]): string {
    const name = freeName(wanted, this.groups);
    this.groups.set(name, { roles, members: [...members] });
    return name;
  }

  /** Writes the rule into the role, once for each listener. Throws SourceRefused for a deny that cannot be said. */
  addRule(role: DraftRole, rule: DraftRule, { via, publishing }: Conditions): string | undefined {
    const texts = withoutSys(rule)
      .flatMap((one) => textsOf(one, publishing))
      .flatMap((text) => (via === undefined ? [text] : via.map((listener) => `${text} via ${listener}`)));
    if (texts.length === 0) {
      this.#report.same(rule.place, `allow publish ${rule.filter}`, 'left out: mosquitto lets nobody publish there');
      return undefined;
    }
    for (const text of texts) {
      try {
        if (text.length > RULE_MAX)
          throw new RuleError(text, 0, `it is longer than ${RULE_MAX} characters`, 'shorten it');
        parseRule(text);
      } catch (fault) {
        if (!(fault instanceof RuleError)) throw fault;
        if (rule.effect === 'deny') {
          throw new SourceRefused([{ place: rule.place, why: `${fault.why}: a deny must not get lost` }]);
        }
        this.#report.unsupported(rule.place, `allow ${rule.filter}`, fault.why);
        return undefined;
      }
    }
    for (const text of texts) role.rules.add(text);
    this.#rules += texts.length;
    if (this.#rules > POLICY_LIMITS.rulesMax) {
      throw new MotteError(
        'MOT-1004',
        `more than ${POLICY_LIMITS.rulesMax} rules, the last from ${placeText(rule.place)}`,
      );
    }
    return texts[0];
  }
}

/** Whatever is written there, mosquitto lets nobody publish below $SYS, nor to what begins like it, but the state of a bridge. */
function withoutSys(rule: DraftRule): DraftRule[] {
  const { effect, action, filter } = rule;
  if (effect === 'deny' || !filter.startsWith('$SYS') || (action !== 'publish' && action !== 'all')) return [rule];
  const state = filter.includes(PLACEHOLDER) ? undefined : common(filter, BRIDGE_STATE);
  return [
    ...(action === 'all' ? [{ ...rule, action: 'subscribe' as const }] : []),
    ...(state === undefined ? [] : [{ ...rule, action: 'publish' as const, filter: state }]),
  ];
}

function textsOf({ effect, action, filter }: DraftRule, publishing: string): string[] {
  const shown = quoted(filter);
  if (effect === 'deny' || publishing === '') return [`${effect} ${action} ${shown}`];
  if (action === 'publish') return [`allow publish ${shown}${publishing}`];
  return action === 'all'
    ? [`allow publish ${shown}${publishing}`, `allow subscribe ${shown}`]
    : [`allow ${action} ${shown}`];
}

/** As rules and tests write it. */
export function quoted(filter: string): string {
  return /[ \t]/.test(filter) || filter.startsWith("'") ? `'${filter.replaceAll("'", "''")}'` : filter;
}

/** `wanted` if it may name something here and is free, else one that is like it. */
function freeName(wanted: string, taken: ReadonlyMap<string, unknown>): string {
  const plain = wanted.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, NAME_MAX);
  const base = nameFault(plain) === undefined ? plain : `x${plain}`.slice(0, NAME_MAX);
  for (let i = 1; ; i++) {
    const name = i === 1 ? base : `${base.slice(0, NAME_MAX - 6)}-${i}`;
    if (!taken.has(name) && !RESERVED.has(name)) return name;
  }
}

/** A topic that holds this by itself would be taken for one with a placeholder. */
export const PLACEHOLDER = '$' + '{';
export const PLACEHOLDER_FAULT = `${PLACEHOLDER} begins a placeholder of Motte, and no topic of its rules can hold it`;

/** Roles of Motte's own, which enrolled devices have without anybody asking. */
const RESERVED: ReadonlySet<string> = new Set(['device', 'operator', 'lab', 'steward']);
const BRIDGE_STATE = '$SYS/broker/connection/+/state';
const NAME_MAX = 63;
const RULE_MAX = 2_048;
