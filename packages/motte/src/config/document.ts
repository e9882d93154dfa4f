// motte.yaml as YAML: one document, no aliases, anchors or tags, no key twice, no key that is not a plain word. What is
// in it is checked afterwards, by the schema.

import { type Document, isAlias, isNode, isScalar, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import { Mistakes } from './mistakes.ts';

export interface ParsedDocument {
  readonly document: Document;
  readonly mistakes: Mistakes;
}

/** Parses the text; mistakes of YAML itself are in `mistakes` already. */
export function parseYaml(text: string): ParsedDocument {
  const lines = new LineCounter();
  const document: Document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    stringKeys: false,
    merge: false,
  });
  const mistakes = new Mistakes(document, lines);
  for (const error of [...document.errors, ...document.warnings]) addYamlError(mistakes, error);
  if (mistakes.list.length > 0) return { document, mistakes };
  visit(document, {
    Alias: (_key, node) =>
      void mistakes.addAt(node.range?.[0] ?? 0, `*${node.source}`, 'aliases are not allowed: write the value out'),
    Node: (_key, node) => {
      if (isAlias(node)) return;
      const at = node.range?.[0] ?? 0;
      const { anchor } = node as { anchor?: string };
      if (anchor !== undefined) mistakes.addAt(at, `&${anchor}`, 'anchors are not allowed: write the value out');
      if (node.tag?.startsWith('!') || (node.tag !== undefined && !isScalar(node) && !/(map|seq)$/.test(node.tag)))
        mistakes.addAt(at, node.tag, 'tags are not allowed');
    },
    Pair: (_key, pair) => {
      if (isNode(pair.key) && isScalar(pair.key) && typeof pair.key.value === 'string') return;
      const at = isNode(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
      mistakes.addAt(at, 'key', 'a key is a plain word; write it in quotes if it looks like a number');
    },
  });
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    mistakes.addAt(0, 'the file', 'is empty: remove it to run on the defaults, or write at least one key');
  }
  return { document, mistakes };
}

function addYamlError(mistakes: Mistakes, error: YAMLError): void {
  const words = YAML_WORDS.get(error.code);
  mistakes.addAt(error.pos[0], 'not valid YAML', words ?? error.message.replaceAll('\n', ' '));
}

const YAML_WORDS: ReadonlyMap<string, string> = new Map([
  ['DUPLICATE_KEY', 'this key stands here twice; keep one'],
  ['TAB_AS_INDENT', 'a tab cannot indent; use spaces'],
  ['MULTIPLE_DOCS', 'a second document begins here; one file is one document'],
]);
