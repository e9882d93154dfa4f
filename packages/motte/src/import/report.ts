// What became of a set-up: one entry for each thing that was found, of four kinds. It is for people and programs alike, and
// never holds a secret: of keys that may carry one only the name is told.

import { IMPORT_LIMITS } from './limits.ts';
import { type Place, placeText } from './source.ts';

/** In the order in which people want to hear of them; the sentence heads the entries of a kind. */
export const KINDS = {
  insecure: 'Refused as insecure: not opened, or disabled with the waiver that it would need beside it',
  changed: 'Changed in meaning, never to more than it was',
  unsupported: 'Not supported, left out',
  same: 'The same in Motte',
} as const;
export type Kind = keyof typeof KINDS;

export interface Entry {
  readonly kind: Kind;
  readonly file: string;
  readonly line: number;
  /** As it stands there, or what was found. */
  readonly what: string;
  /** What it is in Motte; undefined = nothing. */
  readonly becomes?: string;
  /** Undefined where nothing needs to be said. */
  readonly why?: string;
}

export class ImportReport {
  readonly entries: Entry[] = [];
  /** Entries of each kind, those included that are too many to be kept. */
  readonly counts: Record<Kind, number> = { insecure: 0, changed: 0, unsupported: 0, same: 0 };

  same(place: Place, what: string, becomes?: string): void {
    this.#add('same', place, what, becomes, undefined);
  }

  changed(place: Place, what: string, becomes: string | undefined, why: string): void {
    this.#add('changed', place, what, becomes, why);
  }

  insecure(place: Place, what: string, becomes: string | undefined, why: string): void {
    this.#add('insecure', place, what, becomes, why);
  }

  unsupported(place: Place, what: string, why: string): void {
    this.#add('unsupported', place, what, undefined, why);
  }

  /** Of lines about which nothing was said yet: why nothing stands in their place. */
  leftOut(lines: Iterable<{ readonly effect: 'allow' | 'deny'; readonly what: string; readonly place: Place }>): void {
    const told = new Set(this.entries.map(placeText));
    for (const { effect, what, place } of lines) {
      if (told.has(placeText(place))) continue;
      const why = effect === 'deny' ? 'nothing that it denies is allowed' : 'what stands before it decides all of it';
      this.same(place, what, `left out: ${why}`);
    }
  }

  #add(kind: Kind, { file, line }: Place, what: string, becomes: string | undefined, why: string | undefined): void {
    this.counts[kind] += 1;
    if (this.entries.length >= IMPORT_LIMITS.entriesMax) return;
    const entry = { kind, file, line, what: shown(what) };
    this.entries.push({
      ...entry,
      ...(becomes === undefined ? {} : { becomes: shown(becomes) }),
      ...(why === undefined ? {} : { why }),
    });
  }
}

/** Lines for a terminal. */
export function renderReport({ entries, counts }: ImportReport): string[] {
  const lines: string[] = [];
  for (const kind of Object.keys(KINDS) as Kind[]) {
    if (counts[kind] === 0) continue;
    lines.push('', `${KINDS[kind]} (${counts[kind]}):`);
    for (const { file, line, what, becomes, why } of entries.filter((entry) => entry.kind === kind)) {
      const now = becomes === undefined ? '' : ` -> ${becomes}`;
      lines.push(`  ${file}:${line}: ${what}${now}${why === undefined ? '' : `: ${why}`}`);
    }
  }
  const left = Object.values(counts).reduce((sum, count) => sum + count, 0) - entries.length;
  if (left > 0) lines.push('', `${left} more are counted above and not shown`);
  return lines;
}

/** Somebody else's text within bounds. */
function shown(text: string): string {
  return text.length > IMPORT_LIMITS.shownMax ? `${text.slice(0, IMPORT_LIMITS.shownMax)}…` : text;
}
