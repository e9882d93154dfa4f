// JSON with the line on which each value stands. Of two equal keys the first counts, as mosquitto's parser has it.

import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { IMPORT_LIMITS } from './limits.ts';
import { type Place, SourceRefused } from './source.ts';

/** A value of a document; asking for what is not there gives a value that is nothing. */
export class Located {
  readonly place: Place;
  readonly #node: unknown;
  readonly #lines: LineCounter;

  constructor(node: unknown, place: Place, lines: LineCounter) {
    this.#node = node;
    this.#lines = lines;
    const offset = (node as Node | undefined)?.range?.[0];
    this.place = offset === undefined ? place : { file: place.file, line: lines.linePos(offset).line };
  }

  get(key: string): Located {
    const pair = isMap(this.#node)
      ? this.#node.items.find(({ key: name }) => isScalar(name) && name.value === key)
      : undefined;
    return new Located(pair?.value, this.place, this.#lines);
  }

  get items(): readonly Located[] {
    return isSeq(this.#node) ? this.#node.items.map((node) => new Located(node, this.place, this.#lines)) : [];
  }

  get text(): string | undefined {
    const value = this.#scalar;
    return typeof value === 'string' ? value : undefined;
  }

  get integer(): number | undefined {
    const value = this.#scalar;
    return typeof value === 'number' ? Math.trunc(value) : undefined;
  }

  /** Undefined for anything but true and false. */
  get boolean(): boolean | undefined {
    const value = this.#scalar;
    return typeof value === 'boolean' ? value : undefined;
  }

  get #scalar(): unknown {
    return isScalar(this.#node) ? this.#node.value : undefined;
  }
}

/** Throws SourceRefused for what is not JSON or nested deeper than is read. */
export function parseLocatedJson(text: string, file: string): Located {
  const deep = tooDeep(text);
  if (deep !== undefined) throw new SourceRefused([{ place: { file, line: deep }, why: 'it is nested too deeply' }]);
  try {
    JSON.parse(text);
  } catch {
    // What the parser says would repeat a piece of the text, and that may be a secret.
    throw new SourceRefused([{ place: { file, line: 1 }, why: 'it is not a JSON document' }]);
  }
  const lines = new LineCounter();
  // JSON is YAML but for its tabs, none of which can be in a text, and that parser tells where things stand.
  const document = parseDocument(text.replaceAll('\t', ' '), {
    lineCounter: lines,
    uniqueKeys: false,
    schema: 'json',
    merge: false,
  });
  return new Located(document.contents, { file, line: 1 }, lines);
}

/** The line where brackets nest too deeply for a parser that is recursive. */
function tooDeep(text: string): number | undefined {
  let depth = 0;
  let line = 1;
  let isText = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\n') line += 1;
    else if (isText && character === '\\') at += 1;
    else if (character === '"') isText = !isText;
    else if (isText) continue;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > IMPORT_LIMITS.dynamicSecurityDepthMax) return line;
  }
  return undefined;
}
