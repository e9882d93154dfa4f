// The core's way out to one client (ports/link): frames are collected and written once per turn, which is what makes the
// broker cheap. One class for every transport, so that calls stay monomorphic.

import type { Duplex } from 'node:stream';
import type { PublishTemplate } from '@motte/wire';
import type { Link } from '../ports/link.ts';
import { Outbox } from './outbox.ts';

/** What a link tells its connection. */
export interface LinkOwner {
  /** Runs a step under the connection's one catch. */
  run(step: () => void): void;
  /** Feeds frames that were held back. */
  pump(): void;
  /** The peer has taken what congested it. */
  drained(): void;
  /** `close` was called: from now on the peer has a deadline. */
  closing(): void;
  /** Everything was sent after `close`. */
  finished(): void;
  /** The peer has taken some of what it was sent. */
  progressed(): void;
}

export interface LinkLimits {
  /** Above it the link is congested, in bytes. */
  readonly highWaterBytes: number;
}

export class StreamLink implements Link {
  version: 3 | 4 | 5 = 4;
  congested = false;
  private readonly owner: LinkOwner;
  private readonly highWaterBytes: number;
  private readonly outbox: Outbox;
  private scheduled = false;
  private closing = false;
  private gone = false;

  constructor(stream: Duplex, owner: LinkOwner, limits: LinkLimits) {
    this.owner = owner;
    this.highWaterBytes = limits.highWaterBytes;
    this.outbox = new Outbox(stream, () => this.written());
  }

  get unsentBytes(): number {
    return this.outbox.unsentBytes;
  }

  send(template: PublishTemplate, packetId: number, alias: number): void {
    if (this.closing) return;
    const { outbox } = this;
    const bytes = outbox.append(template.bytes);
    const { at } = outbox;
    if (template.packetIdAt >= 0) {
      bytes[at + template.packetIdAt] = packetId >> 8;
      bytes[at + template.packetIdAt + 1] = packetId & 0xff;
    }
    if (template.aliasAt >= 0) {
      bytes[at + template.aliasAt] = alias >> 8;
      bytes[at + template.aliasAt + 1] = alias & 0xff;
    }
    this.appended();
  }

  write(packet: Uint8Array): void {
    if (this.closing) return;
    this.outbox.append(packet);
    this.appended();
  }

  ack(type: 4 | 5 | 6 | 7, packetId: number, reasonCode: number): void {
    if (this.closing) return;
    const withCode = this.version === 5 && reasonCode !== 0;
    const packet = withCode ? ACK_WITH_CODE : ACK;
    // PUBREL alone has a flag set [MQTT-3.6.1-1].
    packet[0] = (type << 4) | (type === 6 ? 2 : 0);
    packet[2] = packetId >> 8;
    packet[3] = packetId & 0xff;
    if (withCode) packet[4] = reasonCode;
    this.outbox.append(packet);
    this.appended();
  }

  resume(): void {
    setImmediate(() => this.owner.pump());
  }

  run(step: () => void): void {
    this.owner.run(step);
  }

  close(): void {
    if (this.closing) return;
    this.closing = true;
    this.outbox.flush();
    this.owner.closing();
    if (!this.outbox.busy) setImmediate(() => this.owner.finished());
  }

  /** Writes what this turn has collected. */
  flush(): void {
    this.scheduled = false;
    if (!this.gone) this.outbox.flush();
  }

  /** The stream is closed: nothing more is written. */
  discard(): void {
    this.gone = true;
    this.closing = true;
    this.outbox.discard();
  }

  private appended(): void {
    if (!this.scheduled) {
      this.scheduled = true;
      scheduleFlush(this);
    }
    if (!this.congested && this.outbox.unsentBytes > this.highWaterBytes) this.congested = true;
  }

  private written(): void {
    if (this.gone) return;
    this.owner.progressed();
    this.outbox.flush();
    if (this.congested && this.outbox.unsentBytes <= this.highWaterBytes / 2) {
      this.congested = false;
      this.owner.drained();
    }
    if (this.closing && !this.outbox.busy) this.owner.finished();
  }
}

const ACK = Uint8Array.of(0, 2, 0, 0);
const ACK_WITH_CODE = Uint8Array.of(0, 3, 0, 0, 0);

/** Links with something to write at the end of this turn; one callback for all of them. */
let dirty: StreamLink[] = [];

function scheduleFlush(link: StreamLink): void {
  if (dirty.length === 0) setImmediate(flushDirty);
  dirty.push(link);
}

function flushDirty(): void {
  const links = dirty;
  dirty = [];
  for (const link of links) link.flush();
}
