// The file's nodes against the schema: the small part of JSON Schema that motte.yaml uses, with messages that name the
// line and what is allowed. Works on nodes, not on values, because only nodes know where they stand.

import { isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import { keyText, type Mistakes, type Path, pathText } from './mistakes.ts';
import { nearest } from './suggest.ts';

/** A schema as JSON; the annotations are those of setting.ts. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  /** Of a section whose keys the operator chooses; false where they are given. */
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
  readonly maxProperties?: number;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly [note: `x-${string}`]: unknown;
}

/** Adds every mistake below `node`. */
export function checkNode(schema: Schema, node: unknown, path: Path, mistakes: Mistakes): void {
  if (schema['x-later'] === true) return mistakes.add(path, 'not in this version');
  if (schema.anyOf !== undefined) {
    const object = schema.anyOf.find((one) => one.type === 'object');
    if (object !== undefined && isMap(node)) return checkNode(object, node, path, mistakes);
    const text = schema.anyOf.find((one) => one.type === 'string');
    if (text !== undefined && isScalar(node) && typeof node.value === 'string' && accepts(text, node.value)) return;
    return mistakes.add(path, `must be ${schema.anyOf.map(allowedText).join(' or ')}`);
  }
  switch (schema.type) {
    case 'object':
      if (!isMap(node)) return mistakes.add(path, 'must be a section of keys');
      return isOpen(schema) ? checkOpen(schema, node, path, mistakes) : checkMap(schema, node, path, mistakes);
    case 'array':
      return checkList(schema, node, path, mistakes);
    default:
      return checkScalar(schema, node, path, mistakes);
  }
}

function checkMap(schema: Schema, map: YAMLMap, path: Path, mistakes: Mistakes): void {
  const properties = new Map(Object.entries(schema.properties ?? {}));
  const seen = new Set<string>();
  for (const { key, value } of map.items) {
    const name = keyText(key);
    if (name === undefined) continue;
    seen.add(name);
    const property = properties.get(name);
    if (property !== undefined) {
      checkNode(property, value, [...path, name], mistakes);
      continue;
    }
    const meant = nearest(name, [...properties.keys()]);
    const known = [...properties].filter(([, one]) => one['x-later'] !== true).map(([one]) => one);
    const hint = meant === undefined ? `allowed here: ${known.join(', ')}` : `did you mean ${meant}?`;
    mistakes.addAt((key as Node).range?.[0] ?? 0, pathText([...path, name]), `unknown key; ${hint}`);
  }
  for (const name of schema.required ?? []) {
    if (!seen.has(name)) mistakes.add(path, `${name} is missing: ${allowedText(properties.get(name) ?? {})}`);
  }
}

/** Whether the keys of a section are the operator's own. */
export function isOpen(schema: Schema): schema is Schema & { readonly additionalProperties: Schema } {
  return typeof schema.additionalProperties === 'object';
}

function checkOpen(
  schema: Schema & { readonly additionalProperties: Schema },
  map: YAMLMap,
  path: Path,
  mistakes: Mistakes,
) {
  const { additionalProperties: values, propertyNames: names = {}, maxProperties = Number.POSITIVE_INFINITY } = schema;
  if (map.items.length > maxProperties) return mistakes.add(path, `must have at most ${maxProperties} keys`);
  for (const { key, value } of map.items) {
    const name = keyText(key);
    if (name === undefined) continue;
    const at = (key as Node).range?.[0] ?? 0;
    if (!accepts(names, name)) mistakes.addAt(at, pathText([...path, name]), `the key must be ${allowedText(names)}`);
    else checkNode(values, value, [...path, name], mistakes);
  }
}

function checkList(schema: Schema, node: unknown, path: Path, mistakes: Mistakes): void {
  if (!isSeq(node)) return mistakes.add(path, 'must be a list');
  if (node.items.length > (schema.maxItems ?? Number.POSITIVE_INFINITY)) {
    return mistakes.add(path, `must have at most ${schema.maxItems} entries`);
  }
  for (const [index, item] of node.items.entries()) checkNode(schema.items ?? {}, item, [...path, index], mistakes);
}

function checkScalar(schema: Schema, node: unknown, path: Path, mistakes: Mistakes): void {
  const wrong = () => mistakes.add(path, `must be ${allowedText(schema)}`);
  if (!isScalar(node)) return wrong();
  const { value } = node;
  if (schema.type === 'integer') {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) return wrong();
    return value < (schema.minimum ?? value) || value > (schema.maximum ?? value) ? wrong() : undefined;
  }
  if (typeof value !== 'string') {
    const quoted = typeof value === 'number' && accepts(schema, String(node.source ?? value));
    return quoted ? mistakes.add(path, `must be text: write "${node.source}" in quotes`) : wrong();
  }
  if (isLaterValue(schema, value)) {
    const others = (schema.enum ?? []).filter((one) => !isLaterValue(schema, one));
    return mistakes.add(path, `${value} is not in this version; it has ${others.join(', ')}`);
  }
  if (!accepts(schema, value)) wrong();
}

function accepts(schema: Schema, text: string): boolean {
  if (schema.const !== undefined) return text === schema.const;
  if (schema.enum !== undefined) return schema.enum.includes(text);
  if (text.length < (schema.minLength ?? 0) || text.length > TEXT_CHARACTERS_MAX) return false;
  return schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(text);
}

function isLaterValue(schema: Schema, value: string): boolean {
  const values = schema['x-later-values'];
  return Array.isArray(values) && values.includes(value);
}

/** What a value may be, for people. */
export function allowedText(schema: Schema): string {
  const stated = schema['x-allowed'];
  if (typeof stated === 'string') return stated;
  if (schema.enum !== undefined) {
    const now = schema.enum.filter((one) => !isLaterValue(schema, one));
    return now.length === 1 ? (now[0] ?? '') : `one of ${now.join(', ')}`;
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map(allowedText).join(' or ');
  switch (schema.type) {
    case 'integer':
      return `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case 'array':
      return 'a list';
    case 'object':
      return 'a section of keys';
    default:
      return 'text';
  }
}

const TEXT_CHARACTERS_MAX = 4096;
