// The rules of one role as a tree of levels, shared by every identity that has the role: a placeholder is an edge that
// each identity follows with a value of its own. Asking walks level by level, without recursion; what it touches is bounded
// by the nodes of the tree, whatever the topic.

import { type Action, concerns, type Placeholder, placeholderOf, type Rule, type RuleConditions } from './rule.ts';

/** Conditions that only a message can meet. */
export type MessageConditions = Pick<RuleConditions, 'qosMax' | 'noRetain' | 'sealed'>;

export interface IndexedRule {
  readonly rule: Rule;
  /** Undefined = holds for every message. */
  readonly conditions: MessageConditions | undefined;
  /** Such as `role operator, policy.yaml:7:7`, or `role operator, rule 2` for one that is built in. */
  readonly label: string;
}

/** What the placeholders stand for; undefined = rules with it match nothing. */
export type PlaceholderValues = { readonly [P in Placeholder]: string | undefined };

export interface RuleIndex {
  readonly rules: readonly IndexedRule[];
  /** The rules that allow, by what they speak of. */
  readonly allows: { readonly [A in Action]: readonly Rule[] };
  readonly root: RuleNode;
}

export interface RuleNode {
  literals: Map<string, RuleNode> | undefined;
  plus: RuleNode | undefined;
  placeholders: Map<Placeholder, RuleNode> | undefined;
  /** Rules whose filter ends at this level. */
  readonly ends: IndexedRule[];
  /** Rules that go on with `#`: they take this level, too. */
  readonly rests: IndexedRule[];
}

export function indexRules(role: string, rules: readonly Rule[]): RuleIndex {
  const indexed = rules.map((rule, i): IndexedRule => {
    const { qosMax, noRetain, sealed } = rule.conditions;
    return {
      rule,
      conditions: qosMax < 2 || noRetain || sealed ? { qosMax, noRetain, sealed } : undefined,
      label: `role ${role}, ${rule.place ?? `rule ${i + 1}`}`,
    };
  });
  const allows = (action: Action) => rules.filter((rule) => rule.effect === 'allow' && concerns(rule, action));
  return {
    rules: indexed,
    allows: { publish: allows('publish'), subscribe: allows('subscribe'), receive: allows('receive') },
    root: treeOf(indexed),
  };
}

/** Of some rules alone. */
export function treeOf(rules: Iterable<IndexedRule>): RuleNode {
  const root = emptyNode();
  for (const one of rules) {
    let node = root;
    for (const level of one.rule.filter.split('/')) {
      if (level !== '#') node = childFor(node, level);
    }
    // Its grammar lets # stand as a level of its own only, and last.
    if (one.rule.filter.endsWith('#')) node.rests.push(one);
    else node.ends.push(one);
  }
  return root;
}

/**
 * Adds to `found` the rules whose filter, with these values, covers the target: a topic name, or a plain filter of which
 * every topic must be covered. A wildcard in the first level says nothing about `$…` ([MQTT-4.7.2-1]).
 */
export function collectCovering(
  { root }: Pick<RuleIndex, 'root'>,
  target: string,
  values: PlaceholderValues,
  found: IndexedRule[],
): void {
  // Every name has a first level, so `#` says the same as `+/#`; none is empty, so `/#` says the same as `/+/#`.
  const text = target === '#' ? '+/#' : target === '/#' ? '/+/#' : target;
  let isFirst = true;
  let nodes: RuleNode[] = [root];
  if (text.charCodeAt(0) !== DOLLAR) for (const rule of root.rests) found.push(rule);
  for (let at = 0; nodes.length > 0; ) {
    const slash = text.indexOf('/', at);
    const level = slash === -1 ? text.slice(at) : text.slice(at, slash);
    if (level === '#') return;
    nodes = childrenOf(nodes, level, values, isFirst && level.charCodeAt(0) === DOLLAR);
    for (const { rests, ends } of nodes) {
      for (const rule of rests) found.push(rule);
      if (slash === -1) for (const rule of ends) found.push(rule);
    }
    if (slash === -1) return;
    at = slash + 1;
    isFirst = false;
  }
}

/** The nodes that a level leads to. A literal `+` is never an edge, so a target's own `+` is covered by `+` alone. */
function childrenOf(nodes: RuleNode[], level: string, values: PlaceholderValues, byNameOnly: boolean): RuleNode[] {
  const children: RuleNode[] = [];
  for (const { literals, plus, placeholders } of nodes) {
    const literal = literals?.get(level);
    if (literal !== undefined) children.push(literal);
    if (byNameOnly) continue;
    if (plus !== undefined) children.push(plus);
    if (placeholders === undefined) continue;
    for (const [placeholder, child] of placeholders) {
      if (values[placeholder] === level) children.push(child);
    }
  }
  return children;
}

function childFor(node: RuleNode, level: string): RuleNode {
  if (level === '+') return (node.plus ??= emptyNode());
  const placeholder = placeholderOf(level);
  if (placeholder !== undefined) return childIn((node.placeholders ??= new Map()), placeholder);
  return childIn((node.literals ??= new Map()), level);
}

function childIn<K>(children: Map<K, RuleNode>, key: K): RuleNode {
  const known = children.get(key);
  if (known !== undefined) return known;
  const made = emptyNode();
  children.set(key, made);
  return made;
}

function emptyNode(): RuleNode {
  return { literals: undefined, plus: undefined, placeholders: undefined, ends: [], rests: [] };
}

const DOLLAR = 0x24;
