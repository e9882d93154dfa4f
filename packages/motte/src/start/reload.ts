// SIGHUP: what changed between two configurations, and whether it may be changed without a restart. Read from the notes
// that every key of the schema carries.

import { isOpen, type Schema } from '../config/check.ts';
import { type Path, pathText } from '../config/mistakes.ts';
import { SCHEMA } from '../config/schema.ts';
import type { Applies } from '../config/setting.ts';
import type { Settings } from '../config/settings.ts';

export interface Change {
  readonly key: string;
  readonly applies: Applies;
}

/** Every key whose value differs, with when it applies. */
export function changesBetween(before: Settings, after: Settings): Change[] {
  const changes: Change[] = [];
  compare(SCHEMA, before, after, [], changes);
  return changes;
}

function compare(schema: Schema, before: unknown, after: unknown, path: Path, changes: Change[]): void {
  if (same(before, after)) return;
  const both = isRecord(before) && isRecord(after);
  const object = schema.type === 'object' ? schema : schema.anyOf?.find((one) => one.type === 'object');
  if (both && object !== undefined && !isOpen(object)) {
    for (const [name, property] of Object.entries(object.properties ?? {})) {
      compare(property, before[name], after[name], [...path, name], changes);
    }
    return;
  }
  const lists = Array.isArray(before) && Array.isArray(after) && before.length === after.length;
  if (lists && schema.items?.type === 'object') {
    for (const [index, item] of before.entries()) compare(schema.items, item, after[index], [...path, index], changes);
    return;
  }
  changes.push({ key: pathText(path), applies: appliesOf(schema) });
}

/** A section as a whole changes when the latest of its keys does. */
function appliesOf(schema: Schema): Applies {
  const own = schema['x-applies'] as Applies | undefined;
  if (own !== undefined) return own;
  const inner = [...Object.values(schema.properties ?? {}), ...(schema.anyOf ?? [])].map(appliesOf);
  return inner.includes('restart') ? 'restart' : inner.includes('new connections') ? 'new connections' : 'now';
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
