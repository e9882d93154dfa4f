// The tree of topic filters: which values stand at the filters that match a topic (MQTT 5.0 and 3.1.1, 4.7).
// Owns levels, wildcards and the rule for $-topics; knows nothing of subscribers. Every walk is a loop, so that the
// depth of a filter or topic never becomes the depth of the stack, and levels are Map keys, so that no level is special.

import type { TopicFilter, TopicName } from '@motte/wire';

export interface TopicTrieOptions {
  /** Filters with more levels than this are not taken. */
  readonly levelsMax: number;
  /** Filters held at once. */
  readonly filtersMax: number;
}

interface Node<T> {
  readonly parent: Node<T> | undefined;
  /** The key under which the parent holds this node; `+` for its wildcard child. */
  readonly level: string;
  /** Plain levels below; most nodes have one at most, which then stands here without a Map around it. */
  children: Map<string, Node<T>> | Node<T> | undefined;
  plus: Node<T> | undefined;
  /** Value of the filter that ends here. */
  value: T | undefined;
  /** Value of the filter that goes on with `#`: it matches this level and everything below. */
  below: T | undefined;
}

/** Maps topic filters to one value each and finds the values of all filters that match a topic. */
export class TopicTrie<T extends {}> {
  readonly levelsMax: number;
  readonly filtersMax: number;
  #root = emptyNode<T>(undefined, '');
  #size = 0;
  // The walk's two frontiers, reused; `match` calls nobody, so they are never in use twice.
  #here: Node<T>[] = [];
  #next: Node<T>[] = [];

  constructor(options: TopicTrieOptions) {
    this.levelsMax = options.levelsMax;
    this.filtersMax = options.filtersMax;
  }

  /** Number of filters held. */
  get size(): number {
    return this.#size;
  }

  /** True if the filter has more levels than are taken. */
  isTooDeep(filter: TopicFilter): boolean {
    let levels = 1;
    for (let slash = filter.indexOf('/'); slash !== -1; slash = filter.indexOf('/', slash + 1)) {
      levels += 1;
      if (levels > this.levelsMax) return true;
    }
    return levels > this.levelsMax;
  }

  /** The value at exactly this filter, made by `make` if there is none; undefined if that is beyond the limits. */
  findOrInsert(filter: TopicFilter, make: (filter: TopicFilter) => T): T | undefined {
    if (this.isTooDeep(filter)) return undefined;
    if (this.#size >= this.filtersMax) return this.find(filter);
    let node = this.#root;
    for (let start = 0; ; ) {
      const slash = filter.indexOf('/', start);
      const level = slash === -1 ? filter.slice(start) : filter.slice(start, slash);
      if (level === '#') {
        node.below ??= this.#made(make(filter));
        return node.below;
      }
      node = childFor(node, level);
      if (slash === -1) break;
      start = slash + 1;
    }
    node.value ??= this.#made(make(filter));
    return node.value;
  }

  #made(value: T): T {
    this.#size += 1;
    return value;
  }

  /** The value at exactly this filter. */
  find(filter: TopicFilter): T | undefined {
    const node = this.#nodeAt(filter);
    return endsInHash(filter) ? node?.below : node?.value;
  }

  /** Takes the filter out and gives back its value; branches that lead nowhere any more go with it. */
  remove(filter: TopicFilter): T | undefined {
    const node = this.#nodeAt(filter);
    if (node === undefined) return undefined;
    const hash = endsInHash(filter);
    const value = hash ? node.below : node.value;
    if (value === undefined) return undefined;
    if (hash) node.below = undefined;
    else node.value = undefined;
    this.#size -= 1;
    prune(node);
    return value;
  }

  /** Appends the values of all filters that match the topic. */
  match(topic: TopicName, into: T[]): void {
    let here = this.#here;
    let next = this.#next;
    here.push(this.#root);
    // [MQTT-4.7.2-1]: a filter that starts with a wildcard does not match a topic that starts with `$`.
    let wild = topic.charCodeAt(0) !== DOLLAR;
    for (let start = 0; here.length > 0; ) {
      const slash = topic.indexOf('/', start);
      const level = slash === -1 ? topic.slice(start) : topic.slice(start, slash);
      for (let i = 0; i < here.length; i++) {
        const node = here[i] as Node<T>;
        const child = childAt(node, level);
        if (child !== undefined) next.push(child);
        if (!wild) continue;
        if (node.below !== undefined) into.push(node.below);
        if (node.plus !== undefined) next.push(node.plus);
      }
      wild = true;
      here.length = 0;
      const swap = here;
      here = next;
      next = swap;
      if (slash === -1) break;
      start = slash + 1;
    }
    for (let i = 0; i < here.length; i++) {
      const node = here[i] as Node<T>;
      if (node.value !== undefined) into.push(node.value);
      // `a/#` also matches `a` [4.7.1.2].
      if (node.below !== undefined) into.push(node.below);
    }
    here.length = 0;
  }

  /** The node at which the filter's value is kept; for `a/#` that is the node of `a`. */
  #nodeAt(filter: TopicFilter): Node<T> | undefined {
    let node: Node<T> | undefined = this.#root;
    for (let start = 0; node !== undefined; ) {
      const slash = filter.indexOf('/', start);
      const level = slash === -1 ? filter.slice(start) : filter.slice(start, slash);
      if (level === '#') return node;
      node = level === '+' ? node.plus : childAt(node, level);
      if (slash === -1) return node;
      start = slash + 1;
    }
    return undefined;
  }
}

function emptyNode<T>(parent: Node<T> | undefined, level: string): Node<T> {
  return { parent, level, children: undefined, plus: undefined, value: undefined, below: undefined };
}

function childFor<T>(node: Node<T>, level: string): Node<T> {
  if (level === '+') {
    node.plus ??= emptyNode(node, level);
    return node.plus;
  }
  const known = childAt(node, level);
  if (known !== undefined) return known;
  const child = emptyNode(node, level);
  const { children } = node;
  if (children === undefined) node.children = child;
  else if (children instanceof Map) children.set(level, child);
  else
    node.children = new Map([
      [children.level, children],
      [level, child],
    ]);
  return child;
}

function childAt<T>({ children }: Node<T>, level: string): Node<T> | undefined {
  if (children instanceof Map) return children.get(level);
  return children !== undefined && children.level === level ? children : undefined;
}

function prune<T>(start: Node<T>): void {
  let node = start;
  while (
    node.parent !== undefined &&
    node.value === undefined &&
    node.below === undefined &&
    node.plus === undefined &&
    node.children === undefined
  ) {
    const parent: Node<T> = node.parent;
    if (node.level === '+') {
      parent.plus = undefined;
    } else if (parent.children instanceof Map) {
      parent.children.delete(node.level);
      if (parent.children.size === 0) parent.children = undefined;
    } else {
      parent.children = undefined;
    }
    node = parent;
  }
}

function endsInHash(filter: TopicFilter): boolean {
  return filter.charCodeAt(filter.length - 1) === HASH;
}

const DOLLAR = 0x24;
const HASH = 0x23;
