// Mistakes in motte.yaml and where they are; collected, so that one look shows all of them.

import { type Document, isMap, isNode, isPair, isSeq, type LineCounter, type Node } from 'yaml';

export interface Mistake {
  readonly line: number;
  readonly column: number;
  /** The key, or what the text should have been. */
  readonly what: string;
  /** What is wrong with it and what is allowed. */
  readonly why: string;
}

/** `FILE:LINE:COLUMN: what: why`. */
export function mistakeText(file: string, { line, column, what, why }: Mistake): string {
  return `${file}:${line}:${column}: ${what === '' ? 'the file' : what}: ${why}`;
}

/** A key's way from the top: names and list positions. */
export type Path = readonly (string | number)[];

/** `listeners[0].url` for people. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const name = /^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part);
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

export class Mistakes {
  readonly list: Mistake[] = [];
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  /** At the value of a key, or as near above it as the file goes. */
  add(path: Path, why: string): void {
    this.addAt(this.#offsetOf(path), pathText(path), why);
  }

  addAt(offset: number, what: string, why: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.list.push({ line: Math.max(line, 1), column: Math.max(col, 1), what, why });
  }

  #offsetOf(path: Path): number {
    let node: unknown = this.#document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isPair(item) && keyText(item.key) === part);
        if (pair === undefined) return offset;
        const key = pair.key as Node;
        node = pair.value;
        offset = isNode(node) ? (node.range?.[0] ?? offset) : (key.range?.[0] ?? offset);
      } else if (isSeq(node) && typeof part === 'number') {
        node = node.items[part];
        offset = isNode(node) ? (node.range?.[0] ?? offset) : offset;
      } else return offset;
    }
    return offset;
  }
}

/** The text of a key that is a plain string; undefined for any other kind of key. */
export function keyText(key: unknown): string | undefined {
  const value = isNode(key) ? (key as { value?: unknown }).value : undefined;
  return typeof value === 'string' ? value : undefined;
}
