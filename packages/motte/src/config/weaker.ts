// Which settings are weaker than the default, and which waivers have run out. Read from the schema's own notes.

import type { Schema } from './check.ts';
import type { Path } from './mistakes.ts';
import { pathText } from './mistakes.ts';
import { SCHEMA } from './schema.ts';
import { PLAIN_SCHEMES } from './sections/listeners.ts';
import type { Waiver } from './sections/waivers.ts';
import type { Settings } from './settings.ts';

export interface Weaker {
  readonly path: Path;
  readonly key: string;
  readonly value: unknown;
  readonly default: unknown;
  readonly breaks: string;
}

/** Every value that is weaker than the default, in the order of the file. */
export function weakerSettings(settings: Settings): Weaker[] {
  const found: Weaker[] = [];
  walk(SCHEMA, settings, [], found);
  return found;
}

/** Waivers whose day has passed, as `status` says it. */
export function expiredWaivers(
  settings: Settings,
  nowMs: number,
): { readonly subject: string; readonly why: string }[] {
  const all: [string, Waiver | undefined][] = [
    ...settings.listeners.map(({ name, waiver }): [string, Waiver | undefined] => [`listener ${name}`, waiver]),
    ...Object.entries(settings.waivers),
  ];
  return all.flatMap(([what, waiver]) => {
    if (typeof waiver !== 'object' || waiver.until === undefined) return [];
    // The day itself still counts.
    if (nowMs < Date.parse(`${waiver.until}T00:00:00Z`) + DAY_MS) return [];
    return [{ subject: 'waiver', why: `the waiver of ${what} ended on ${waiver.until}: ${waiver.reason}` }];
  });
}

function walk(schema: Schema, value: unknown, path: Path, found: Weaker[]): void {
  if (value === undefined) return;
  if (schema.type === 'object' && typeof value === 'object' && value !== null) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      walk(property, (value as Record<string, unknown>)[name], [...path, name], found);
    }
    return;
  }
  if (isWeaker(schema, value, path)) {
    const breaks = String(schema['x-breaks']);
    found.push({
      path,
      key: pathText(path),
      value,
      default: schema.default ?? (path.at(-1) === 'url' ? 'TLS' : 'none'),
      breaks,
    });
  }
  if (schema.type === 'array' && Array.isArray(value) && schema.items?.type === 'object') {
    for (const [index, item] of value.entries()) walk(schema.items, item, [...path, index], found);
  }
}

function isWeaker(schema: Schema, value: unknown, path: Path): boolean {
  const standard = schema.default;
  if (typeof value === 'number' && typeof standard === 'number') {
    return schema['x-weaker'] === 'above'
      ? value > standard
      : schema['x-weaker'] === 'below'
        ? value < standard
        : false;
  }
  if (Array.isArray(value) && schema['x-widens'] === true) {
    return value.some((item) => !(standard as readonly unknown[]).includes(item));
  }
  if (typeof value !== 'string') return false;
  if (path[0] === 'listeners' && path.at(-1) === 'url') return PLAIN_SCHEMES.has(value.slice(0, value.indexOf(':')));
  if (path[0] === 'listeners' && path.at(-1) === 'role') return true;
  const weaker = schema['x-weaker-values'];
  return Array.isArray(weaker) && weaker.includes(value);
}

const DAY_MS = 86_400_000;
