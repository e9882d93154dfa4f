// What is published to be retained, by topic, and since when it is certain that the broker has it: what a later SUBSCRIBE must
// and must not bring follows from that (3.3.1.3). Each topic has one publisher, which waits for the end of an exchange
// before it begins the next one there: of two messages, the one that was sent later is the newer.

import type { Sent } from './ledger.ts';

export interface Kept {
  readonly sent: Sent;
  /** The count of the machine's shakes when it was sent. */
  readonly shakes: number;
}

export class RetainedLedger {
  readonly #byTopic = new Map<string, Kept[]>();
  readonly #shakes: () => number;

  /** Takes how often the broker's machine was out of order. */
  constructor(shakes: () => number) {
    this.#shakes = shakes;
  }

  get shakes(): number {
    return this.#shakes();
  }

  get topics(): Iterable<string> {
    return this.#byTopic.keys();
  }

  add(sent: Sent): void {
    const kept = this.#byTopic.get(sent.topic) ?? [];
    kept.push({ sent, shakes: this.#shakes() });
    this.#byTopic.set(sent.topic, kept);
  }

  /** All that were sent there from a number on, in their order. */
  since(topic: string, number: number): readonly Kept[] {
    return (this.#byTopic.get(topic) ?? []).filter(({ sent }) => sent.number >= number);
  }

  find(topic: string, number: number): Kept | undefined {
    return this.#byTopic.get(topic)?.find(({ sent }) => sent.number === number);
  }

  /** The newest that the broker certainly has or had, so that nothing older is retained; undefined = none. */
  newestCertain(topic: string): Kept | undefined {
    return this.#byTopic.get(topic)?.findLast((kept) => this.isCertain(kept));
  }

  /** QoS 0 is in no disk until its commit: it counts while nothing has shaken the machine. */
  isCertain({ sent, shakes }: Kept): boolean {
    return sent.acknowledged && !sent.refused && (sent.qos > 0 || shakes === this.#shakes());
  }

  /** What may be retained at a topic at the end, by number; undefined = nothing. */
  possible(topic: string): readonly (number | undefined)[] {
    let possible: (number | undefined)[] = [undefined];
    for (const { sent } of this.since(topic, 0)) {
      const { isClear, number, qos, refused } = sent;
      const left = isClear ? [undefined] : Number.isFinite(sent.owedUntilMs) ? [number, undefined] : [number];
      // One that was refused because of a disk that was full may have reached it all the same.
      possible = qos === 0 || refused ? [...possible, ...left] : left;
    }
    return possible;
  }
}
