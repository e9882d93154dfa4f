// The lines of a policy that a pattern becomes: the rule that covers what was seen, and tests that show it.

import type { WatchedTerms } from '@motte/broker/ports/watch';
import type { Naming, Pattern } from './topic-tree.ts';

export type Action = 'publish' | 'subscribe';

export interface Seen {
  readonly target: string;
  /** Of the messages; of a filter, of those that its rule lets through. */
  readonly qosMax: number;
  readonly retained: boolean;
  readonly terms: WatchedTerms;
}

export interface TestLine {
  readonly text: string;
  readonly action: Action;
  readonly target: string;
  readonly isOfNeighbour: boolean;
}

interface Whose {
  readonly label: string;
  readonly role: string;
  readonly naming: Naming;
}

export function ruleOf(action: Action, { filter, acts }: Pattern<Seen>): string {
  const words = ['allow', action, quoted(filter)];
  const { from, via } = (acts[0] as Seen).terms;
  const qosMax = acts.reduce((max, act) => Math.max(max, act.qosMax), 0);
  if (qosMax < 2) words.push(`qos<=${qosMax}`);
  if (!acts.some(({ retained }) => retained)) words.push('no-retain');
  if (from !== undefined) words.push('from', from);
  if (via !== undefined) words.push('via', via);
  return words.join(' ');
}

/** What was seen at its boldest; and, where its own name stands in it, that the same is not for another name. */
export function testsOf(action: Action, { filter, acts }: Pattern<Seen>, { label, role, naming }: Whose): TestLine[] {
  const first = acts[0] as Seen;
  const boldest = acts.reduce((a, b) => (b.qosMax > a.qosMax ? b : a), first);
  const retained = acts.find((act) => act.retained) ?? boldest;
  const lineOf = (may: string, act: Seen, target: string): TestLine => {
    const words = [label, may, action, quoted(target)];
    if (action === 'publish' && act.qosMax > 0) words.push(`qos=${act.qosMax}`);
    if (action === 'publish' && act.retained) words.push('retain');
    if (act.terms.from !== undefined) words.push('from', act.terms.address);
    if (act.terms.via !== undefined) words.push('via', act.terms.via);
    words.push('as', role);
    return { text: words.join(' '), action, target, isOfNeighbour: may !== 'may' };
  };
  const lines = [...new Set([boldest, retained])].map((act) => lineOf('may', act, act.target));
  const { placeholder, name } = naming;
  if (placeholder === undefined || !filter.split('/').includes(placeholder)) return lines;
  const neighbour = name === NEIGHBOUR ? `${NEIGHBOUR}-2` : NEIGHBOUR;
  const theirs = first.target
    .split('/')
    .map((level) => (level === name ? neighbour : level))
    .join('/');
  return [...lines, lineOf('may not', first, theirs)];
}

function quoted(target: string): string {
  return /[ \t]|^['"]/.test(target) ? `'${target.replaceAll("'", "''")}'` : target;
}

const NEIGHBOUR = 'somebody-else';
