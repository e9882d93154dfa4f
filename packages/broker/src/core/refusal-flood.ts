// Refusals that do not end the connection, as of a PUBLISH: a client earns them as fast as it can send eight bytes, and a line
// of the log costs far more than that. Each is counted; of those between two ticks the first are reported one by one, the rest
// as one. What ends a connection is never held back: it does not pass here.

import type { Client } from './client.ts';
import type { RefusalFacts } from './core.ts';

/** Reported one by one between two ticks, for each client. */
export const REFUSALS_REPORTED_MAX = 100;

export class RefusalFlood {
  private readonly client: Client;
  private reported = 0;
  private unreported = 0;
  private last: RefusalFacts | undefined = undefined;

  constructor(client: Client) {
    this.client = client;
  }

  /** Counts a refusal and reports it now, or later with others. */
  add(refusal: RefusalFacts): void {
    const { core } = this.client;
    if (this.reported < REFUSALS_REPORTED_MAX) {
      this.reported += 1;
      core.refused(this.client, refusal);
      return;
    }
    core.counters.refusals += 1;
    this.unreported += 1;
    this.last = refusal;
  }

  /** At a tick and at the end: reports what was held back. */
  flush(): void {
    const { last, unreported, client } = this;
    this.reported = 0;
    this.unreported = 0;
    this.last = undefined;
    if (last === undefined) return;
    const because = unreported === 1 ? last.because : `${last.because}; the last of ${unreported} refused at once`;
    client.core.report(client, { ...last, because });
  }
}
