// Messages that wait for a client whose session ends with its connection: bounded, in memory only, first in first out.

import { type Message, sizeOf } from '../ports/message.ts';
import type { SharedCopy } from './shared-copies.ts';

/** A copy that waits for quota. */
export interface WaitingMessage {
  readonly message: Message;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[];
  readonly shared: SharedCopy | undefined;
  /** Wall-clock ms. */
  readonly queuedAtMs: number;
}

export class MemoryQueue {
  private entries: WaitingMessage[] = [];
  private head = 0;
  bytes = 0;

  get size(): number {
    return this.entries.length - this.head;
  }

  push(entry: WaitingMessage): void {
    this.entries.push(entry);
    this.bytes += sizeOf(entry.message);
  }

  shift(): WaitingMessage | undefined {
    const entry = this.entries[this.head];
    if (entry === undefined) return undefined;
    this.head += 1;
    this.bytes -= sizeOf(entry.message);
    if (this.head === this.entries.length || this.head > 1024) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
    return entry;
  }

  clear(): void {
    this.entries = [];
    this.head = 0;
    this.bytes = 0;
  }
}
