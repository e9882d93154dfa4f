// Where a device was enrolled, beside its certificate: `NAME.enrol.json`, read again when it renews.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function renderPlace(url: string): string {
  return `${JSON.stringify({ format: 1, url })}\n`;
}

/** The URL, or undefined where none was written. */
export function readPlace(directory: string, name: string): string | undefined {
  try {
    const { url } = JSON.parse(readFileSync(join(directory, `${name}.enrol.json`), 'utf8')) as { url?: unknown };
    return typeof url === 'string' ? url : undefined;
  } catch {
    return undefined;
  }
}
