// The ring of the last 1,000 refusals. Equal refusals of one source share a row, so that a flood does not push the
// others out. Strings are bounded and printable before they are kept.

import { reasonCode } from '@motte/wire';
import type { BrokerEvent } from '../events.ts';
import type { RefusalRow } from '../ports/admin-view.ts';
import { adviceFor } from './advice.ts';
import { explain } from './explain.ts';
import { identityText, printable } from './printable.ts';

type Refused = Extract<BrokerEvent, { name: 'peer.refused' }>;
type Flagged = Extract<BrokerEvent, { name: 'client.flagged' }>;
type Kept = Omit<RefusalRow, 'advice' | 'text' | 'code'> & { readonly refused: Pick<Refused, 'reason' | 'layer'> };

export class RefusalRing {
  /** Oldest first: a Map keeps the order of insertion, and a repeated refusal is inserted anew. */
  readonly #rows = new Map<string, Kept>();
  readonly #max: number;
  #number = 0;

  constructor(max: number = REFUSALS_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** An observer: keeps what was refused and passes over everything else. */
  observe(event: BrokerEvent): void {
    if (event.name !== 'peer.refused' && event.name !== 'client.flagged') return;
    const row = this.#keep(event.name === 'client.flagged' ? letIn(event) : event);
    const key = keyOf(row);
    const before = this.#rows.get(key);
    this.#rows.delete(key);
    this.#rows.set(
      key,
      before === undefined ? row : { ...row, id: before.id, firstMs: before.firstMs, count: before.count + 1 },
    );
    if (this.#rows.size > this.#max) for (const oldest of this.#rows.keys()) return void this.#rows.delete(oldest);
  }

  /** Rows for `last`, an id, a client id or its device, an identity or an address; newest first. */
  find(query: string, max: number): RefusalRow[] {
    const newestFirst = [...this.#rows.values()].reverse();
    if (query === '' || query === 'last') return newestFirst.slice(0, query === 'last' ? 1 : max).map(finish);
    const wanted = printable(query);
    return newestFirst
      .filter((row) => matches(row, wanted))
      .slice(0, max)
      .map(finish);
  }

  #keep(event: Refused): Kept {
    const isNew = ++this.#number;
    return {
      id: `R${isNew}`,
      firstMs: event.atMs,
      atMs: event.atMs,
      count: 1,
      layer: event.layer,
      reason: event.reason,
      because: printable(event.because),
      rule: printable(event.rule),
      seen: printable(event.seen),
      connection: event.connection ?? 0,
      listener: printable(event.listener ?? ''),
      address: printable(event.address ?? ''),
      identity: printable(identityText(event.identity ?? '')),
      clientId: printable(event.clientId ?? ''),
      packet: printable(event.packet ?? ''),
      topic: printable(event.topic ?? ''),
      refused: { reason: event.reason, layer: event.layer },
    };
  }
}

/** A flag is kept like a refusal whose peer saw nothing of it. */
function letIn(event: Flagged): Refused {
  const seen = 'nothing: it is connected';
  return { ...event, name: 'peer.refused', layer: 'identity', reason: 'success', packet: 'connect', seen };
}

function matches(row: Kept, query: string): boolean {
  return (
    row.id === query ||
    row.clientId === query ||
    row.clientId.startsWith(`${query}/`) ||
    row.identity === query ||
    row.address === query
  );
}

function keyOf(row: Kept): string {
  return [row.address, row.listener, row.identity, row.clientId, row.layer, row.reason, row.rule, row.topic].join('\n');
}

function finish({ refused, ...row }: Kept): RefusalRow {
  const full = { ...row, code: reasonCode(refused.reason), advice: adviceFor({ ...row, ...refused }) };
  return { ...full, text: explain(full) };
}

const REFUSALS_MAX = 1000;
