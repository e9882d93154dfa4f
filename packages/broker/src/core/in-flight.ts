// QoS 1 and 2 messages sent to a client and not yet acknowledged: [MQTT-4.3.2-*], [MQTT-4.3.3-*], [MQTT-4.4.0-1].
// A session that ends with its connection never resends, so it keeps the state alone and no message.

import type { Ticket } from '../ports/store.ts';
import type { SharedCopy } from './shared-copies.ts';

export type InFlightState = 'puback' | 'pubrec' | 'pubcomp';

export interface InFlightEntry {
  /** The packet that is awaited. */
  readonly state: InFlightState;
  /** Position in the session's stored queue; 0 = not stored. */
  readonly seq: number;
  readonly ticket: Ticket;
  readonly bytes: number;
  /** Set if the session has it as a member of a group: it may go to another one. */
  readonly shared: SharedCopy | undefined;
}

const AWAITING: { readonly [S in InFlightState]: InFlightEntry } = {
  puback: { state: 'puback', seq: 0, ticket: 0, bytes: 0, shared: undefined },
  pubrec: { state: 'pubrec', seq: 0, ticket: 0, bytes: 0, shared: undefined },
  pubcomp: { state: 'pubcomp', seq: 0, ticket: 0, bytes: 0, shared: undefined },
};

/** Never written to. */
const NONE = new Map<number, InFlightEntry>();

/** Packet identifiers are 1 to 65,535 [MQTT-2.2.1-3]. */
const PACKET_IDS = 65_535;

/** The packet identifier of a position in a session's queue, the same at every resend. */
export function packetIdOf(seq: number): number {
  return 1 + ((seq - 1) % PACKET_IDS);
}

export class InFlight {
  /** Most sessions at a time have none. */
  private entries: Map<number, InFlightEntry> = NONE;

  get size(): number {
    return this.entries.size;
  }

  has(packetId: number): boolean {
    return this.entries.has(packetId);
  }

  get(packetId: number): InFlightEntry | undefined {
    return this.entries.get(packetId);
  }

  /** Notes a message of which only the state is needed. */
  await(packetId: number, state: InFlightState): void {
    this.awaitEntry(packetId, AWAITING[state]);
  }

  /** Notes a message that stands in the session's stored queue or belongs to a group. */
  awaitEntry(packetId: number, entry: InFlightEntry): void {
    if (this.entries === NONE) this.entries = new Map();
    this.entries.set(packetId, entry);
  }

  /** The client has the message: from now on PUBCOMP is awaited. */
  awaitPubcomp(packetId: number, { seq, ticket }: InFlightEntry): void {
    if (seq === 0) this.await(packetId, 'pubcomp');
    else this.awaitEntry(packetId, { state: 'pubcomp', seq, ticket, bytes: 0, shared: undefined });
  }

  [Symbol.iterator](): IterableIterator<[number, InFlightEntry]> {
    return this.entries.entries();
  }

  remove(packetId: number): void {
    this.entries.delete(packetId);
  }

  clear(): void {
    this.entries.clear();
  }

  /** The first position above `seq` whose packet identifier is free; the next one if none is, to be sent once it is. */
  nextSeq(seq: number): number {
    let next = seq + 1;
    if (this.entries.size >= PACKET_IDS) return next;
    while (this.entries.has(packetIdOf(next))) next += 1;
    return next;
  }
}
