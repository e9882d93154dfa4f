// From lists in which the first match decides to rules among which a deny always wins. Where no deny of a list stands behind
// an allow that it meets both say the same. Where one does, the list is settled for whoever has it: what never comes to decide
// goes, then the denies behind which nothing would be allowed; what is left of the crossing is taken away, and reported.

import { MotteError } from '@motte/admin/errors';
import { covers, meet } from './filters.ts';
import type { ImportReport } from './report.ts';
import { type Place, placeText } from './source.ts';

export interface OrderedEntry {
  readonly effect: 'allow' | 'deny';
  /** What it is about, such as `read`; entries are compared on what they share. */
  readonly concerns: readonly string[];
  /** As Motte would write it. */
  readonly filter: string;
  /** As it stands there, for people. */
  readonly what: string;
  readonly place: Place;
}

export interface OrderedList<E extends OrderedEntry> {
  /** Whose list it is, for people. */
  readonly who: string;
  /** The first that matches decides; if none does the answer is no. */
  readonly entries: readonly E[];
}

/** The denies that can be left out wherever they stand: before something allowed they meet, behind them nothing is. */
export function superfluousDenies<E extends OrderedEntry>(lists: readonly OrderedList<E>[]): ReadonlySet<E> {
  checkWork(lists);
  const needed = new Set<E>();
  const crossing = new Set<E>();
  for (const { entries } of lists) {
    for (const [at, deny] of entries.entries()) {
      if (deny.effect !== 'deny') continue;
      if (entries.some((other, i) => i > at && isAllowedBy(other, deny))) needed.add(deny);
      if (entries.some((other, i) => i < at && isAllowedBy(other, deny))) crossing.add(deny);
    }
  }
  return new Set([...crossing].filter((deny) => !needed.has(deny)));
}

/** True if a deny that stays takes something from an allow before it. */
export function isCrossed<E extends OrderedEntry>({ entries }: OrderedList<E>, leftOut: ReadonlySet<E>): boolean {
  return entries.some(
    (deny, at) =>
      deny.effect === 'deny' && !leftOut.has(deny) && entries.some((other, i) => i < at && isAllowedBy(other, deny)),
  );
}

/** An entry, and what of its concerns is left. */
export interface Settled<E extends OrderedEntry> {
  readonly entry: E;
  readonly concerns: readonly string[];
}

/** What to write for such a list alone. What is still lost goes into the report. */
export function settleList<E extends OrderedEntry>(
  { who, entries }: OrderedList<E>,
  report: ImportReport,
): Settled<E>[] {
  const left = new Map<E, string[]>(entries.map((entry) => [entry, []]));
  for (const concern of new Set(entries.flatMap(({ concerns }) => concerns))) {
    const concerned = entries.filter((entry) => entry.concerns.includes(concern));
    for (const entry of settleConcern(who, concerned, report)) left.get(entry)?.push(concern);
  }
  return entries.flatMap((entry) => {
    const concerns = left.get(entry) ?? [];
    return concerns.length === 0 ? [] : [{ entry, concerns }];
  });
}

function settleConcern<E extends OrderedEntry>(who: string, entries: readonly E[], report: ImportReport): E[] {
  const deciding: E[] = [];
  for (const entry of entries) {
    if (!deciding.some((other) => covers(other.filter, entry.filter))) deciding.push(entry);
  }
  const allows = (other: E, deny: E) => other.effect === 'allow' && meet(other.filter, deny.filter);
  const kept = deciding.filter(
    (entry, at) => entry.effect === 'allow' || deciding.some((other, i) => i > at && allows(other, entry)),
  );
  for (const [at, deny] of kept.entries()) {
    if (deny.effect !== 'deny') continue;
    for (const allow of kept
      .slice(0, at)
      .filter((one) => allows(one, deny))
      .slice(0, TOLD_MAX)) {
      const why = `a deny always wins: ${who} loses what ${placeText(deny.place)} covers of this`;
      report.changed(allow.place, allow.what, `allow ${allow.filter}`, why);
    }
  }
  return kept;
}

/** True if `other` allows something that the deny is about. */
function isAllowedBy(other: OrderedEntry, deny: OrderedEntry): boolean {
  return (
    other.effect === 'allow' &&
    other.concerns.some((concern) => deny.concerns.includes(concern)) &&
    meet(other.filter, deny.filter)
  );
}

/** Throws MOT-1004 for more than can be compared with one another in a few seconds. */
function checkWork(lists: readonly OrderedList<OrderedEntry>[]): void {
  let comparisons = 0;
  for (const { who, entries } of lists) {
    // A list in which nothing is denied is not compared at all.
    if (entries.some(({ effect }) => effect === 'deny')) comparisons += entries.length ** 2;
    if (comparisons > COMPARISONS_MAX)
      throw new MotteError('MOT-1004', `${who}: the rules until here meet one another in too many ways`);
  }
}

const COMPARISONS_MAX = 20_000_000;
/** Of one deny. */
const TOLD_MAX = 50;
