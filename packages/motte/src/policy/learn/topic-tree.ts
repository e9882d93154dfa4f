// From the topics that were used to the patterns that cover them, as narrow as can be read. Its own name becomes a
// placeholder; many siblings of one level become `+`; where such levels alone follow, and end at different depths, `#`.
//
// Never widened: the first level, so that nothing becomes a rule for all topics; a level where its own name stands, or
// anything above it that would swallow the level, so that no pattern covers the topics of a neighbour by that name.

/** From so many different levels in one place on they are `+`. Fewer are written out: a person can read seven rules. */
export const SIBLINGS_MIN = 8;

export interface Pattern<T> {
  readonly filter: string;
  /** What it covers. */
  readonly acts: readonly T[];
}

export interface Naming {
  readonly name: string;
  /** Such as `${device}`; undefined = its name stays as it is. */
  readonly placeholder: string | undefined;
}

export interface Act {
  /** A topic name or filter. */
  readonly target: string;
}

interface TopicNode<T> {
  readonly children: Map<string, TopicNode<T>>;
  readonly acts: T[];
  /** True if it stands for many siblings that were seen, and is no `+` of theirs. */
  isMany: boolean;
}

/** `tails`: whether levels that end at different depths may become `#`. In the order in which they were first seen. */
export function patternsOf<T extends Act>(acts: readonly T[], naming: Naming, tails: boolean): Pattern<T>[] {
  const root = emptyNode<T>();
  for (const act of acts) {
    let node = root;
    for (const level of act.target.split('/')) node = childOf(node, placed(level, naming));
    node.acts.push(act);
  }
  const found: Pattern<T>[] = [];
  for (const [level, first] of root.children) {
    widen(first, naming.placeholder);
    collect(first, [level], tails, found);
  }
  return found;
}

/** One pattern for each, with nothing wider in it than the placeholder. */
export function writtenOut<T extends Act>(acts: readonly T[], naming: Naming): Pattern<T>[] {
  return acts.map((act) => {
    const levels = act.target.split('/').map((level) => placed(level, naming));
    return { filter: levels.join('/'), acts: [act] };
  });
}

function placed(level: string, { name, placeholder }: Naming): string {
  return placeholder !== undefined && level === name ? placeholder : level;
}

function widen<T>(node: TopicNode<T>, placeholder: string | undefined): void {
  const siblings = [...node.children].filter(([level]) => level !== '+' && level !== '#');
  if (siblings.length >= SIBLINGS_MIN && !siblings.some(([level]) => level === placeholder)) {
    const many = node.children.get('+') ?? { ...emptyNode<T>(), isMany: true };
    for (const [level, sibling] of siblings) {
      merge(many, sibling);
      node.children.delete(level);
    }
    node.children.set('+', many);
  }
  for (const child of node.children.values()) widen(child, placeholder);
}

function merge<T>(into: TopicNode<T>, from: TopicNode<T>): void {
  into.acts.push(...from.acts);
  for (const [level, child] of from.children) merge(childOf(into, level), child);
}

function collect<T>(node: TopicNode<T>, path: readonly string[], tails: boolean, found: Pattern<T>[]): void {
  const many = node.children.get('+');
  const tail = tails && many !== undefined ? tailOf(many) : undefined;
  if (node.acts.length > 0) found.push({ filter: path.join('/'), acts: node.acts });
  for (const [level, child] of node.children) {
    if (child === many && tail !== undefined) found.push({ filter: [...path, '#'].join('/'), acts: tail });
    else collect(child, [...path, level], tails, found);
  }
}

/** All of it, if nothing but many siblings follows, level after level, and they end at more than one depth. */
function tailOf<T>(many: TopicNode<T>): T[] | undefined {
  const acts: T[] = [];
  let depths = 0;
  for (let node: TopicNode<T> | undefined = many; node !== undefined; node = node.children.get('+')) {
    if (!node.isMany || node.children.size > (node.children.has('+') ? 1 : 0)) return undefined;
    if (node.acts.length > 0) depths += 1;
    acts.push(...node.acts);
  }
  return depths > 1 ? acts : undefined;
}

function childOf<T>(node: TopicNode<T>, level: string): TopicNode<T> {
  const known = node.children.get(level);
  if (known !== undefined) return known;
  const made = emptyNode<T>();
  node.children.set(level, made);
  return made;
}

function emptyNode<T>(): TopicNode<T> {
  return { children: new Map(), acts: [], isMany: false };
}
