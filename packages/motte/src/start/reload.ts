// SIGHUP: the configuration read again and put in force as a whole or not at all, and which changes need a restart instead,
// by the notes that every key of the schema carries.

import { MotteError } from '@motte/admin';
import type { Log } from '@motte/broker/observe';
import { isOpen, type Schema } from '../config/check.ts';
import { loadConfig, type MotteConfig } from '../config/config.ts';
import { type Path, pathText } from '../config/mistakes.ts';
import { SCHEMA } from '../config/schema.ts';
import type { Applies } from '../config/setting.ts';
import type { Settings } from '../config/settings.ts';
import type { Context } from '../context.ts';
import { codedOf } from '../report.ts';

/** Reads, checks and prepares everything, then takes all of it or none: the answer is the configuration in force. */
export async function reload(
  context: Context,
  current: MotteConfig,
  log: Log,
  refused: (why: string) => void,
  refresh: (next: MotteConfig) => Promise<void>,
): Promise<MotteConfig> {
  try {
    const next = loadConfig(context.config, current.number + 1);
    const changes = changesBetween(current.settings, next.settings);
    const fixed = changes.filter(({ applies }) => applies === 'restart').map(({ key }) => key);
    if (fixed.length > 0) throw new MotteError('MOT-0103', `${fixed.join(', ')} needs a restart`);
    await refresh(next);
    log.level = next.settings.log.level;
    log.say('info', 'the configuration was read again', {
      number: next.number,
      changed: changes.map(({ key }) => key),
    });
    return next;
  } catch (fault) {
    const { code, why } = codedOf(fault);
    const { lines = [] } = fault as { lines?: readonly string[] };
    log.say('error', 'the old configuration stays', { code, why, mistakes: lines });
    refused(`${why} (${code})`);
    return current;
  }
}

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
