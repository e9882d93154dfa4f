// Reports that a peer can cause as fast as it can send eight bytes, while a line of the log costs far more than that: of those
// between two ticks the first are made one by one, the rest as one. Nothing here is counted; counters see every single one.

/** Made one by one between two ticks. */
export const REPORTED_MAX = 100;

export class Flood<Facts> {
  private readonly report: (facts: Facts, count: number) => void;
  private reported = 0;
  private heldBack = 0;
  private last: Facts | undefined = undefined;

  /** `report` gets 1, or how many there were of which `facts` are the last. */
  constructor(report: (facts: Facts, count: number) => void) {
    this.report = report;
  }

  add(facts: Facts): void {
    if (this.reported < REPORTED_MAX) {
      this.reported += 1;
      this.report(facts, 1);
      return;
    }
    this.heldBack += 1;
    this.last = facts;
  }

  /** At a tick and at the end: reports what was held back. */
  flush(): void {
    const { last, heldBack } = this;
    this.reported = 0;
    this.heldBack = 0;
    this.last = undefined;
    if (last !== undefined) this.report(last, heldBack);
  }
}
