// Acknowledgements that wait for the store, in the order their packets came: [MQTT-4.6.0-2], [MQTT-4.6.0-3] and
// [MQTT-4.6.0-4] ask for that order, and clients exist that disconnect otherwise. One ring per connection.

import type { Link } from '../ports/link.ts';
import type { Ticket } from '../ports/store.ts';

/** PUBACK, PUBREC, PUBREL, PUBCOMP, or 0 for a packet that was encoded beforehand. */
export type AckType = 0 | 4 | 5 | 6 | 7;

interface PendingAck {
  readonly type: AckType;
  readonly packetId: number;
  readonly reasonCode: number;
  readonly ticket: Ticket;
  readonly packet: Uint8Array | undefined;
}

export class PendingAcks {
  private entries: PendingAck[] = [];
  private head = 0;
  /** PUBACKs among them: each holds a place of the client's quota. */
  pubacks = 0;

  get empty(): boolean {
    return this.head === this.entries.length;
  }

  get size(): number {
    return this.entries.length - this.head;
  }

  /** True if the next acknowledgement waits for a commit up to this ticket. */
  waitsFor(upTo: Ticket): boolean {
    const next = this.entries[this.head];
    return next !== undefined && next.ticket <= upTo;
  }

  push(type: AckType, packetId: number, reasonCode: number, ticket: Ticket, packet: Uint8Array | undefined): void {
    this.entries.push({ type, packetId, reasonCode, ticket, packet });
    if (type === 4) this.pubacks += 1;
  }

  /** Sends every acknowledgement at the front whose ticket is not above `upTo`. */
  release(upTo: Ticket, link: Link): void {
    for (;;) {
      const next = this.entries[this.head];
      if (next === undefined || next.ticket > upTo) break;
      this.head += 1;
      if (next.type === 4) this.pubacks -= 1;
      if (next.type === 0) link.write(next.packet ?? NOTHING);
      else link.ack(next.type, next.packetId, next.reasonCode);
    }
    if (this.head === this.entries.length || this.head > 1024) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
  }
}

const NOTHING = new Uint8Array(0);
