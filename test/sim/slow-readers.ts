// Clients that now and then read nothing, while messages come. A slow client costs only itself: it alone loses messages of QoS 0,
// and each is counted; what has a higher QoS it gets when it reads on; and the broker keeps no more for it than it may.

import type { QoS } from '@motte/wire';
import { TOPICS } from './fields.ts';
import type { Incident, IncidentParts } from './incident.ts';
import { SimClient } from './sim-client.ts';

export class SlowReaders implements Incident {
  readonly #parts: IncidentParts;
  readonly #slow: readonly SimClient[];

  constructor(parts: IncidentParts) {
    const { chance, ledger, machine } = parts;
    this.#parts = parts;
    this.#slow = Array.from({ length: chance.between(1, 2) }, (_, at) => {
      const version = chance.oneIn(4) ? 4 : 5;
      const wants = [{ filter: 'plant/#', qos: 0 as QoS }];
      if (chance.oneIn(2)) wants.push({ filter: 'plant/b/#', qos: 1 });
      const options = {
        id: `slow-${at}`,
        version,
        wants,
        windowBytes: chance.between(1, 200),
        asksAlways: true,
      } as const;
      return new SimClient(options, ledger, chance, () => machine.clock.nowMs());
    });
    parts.clients.push(...this.#slow);
  }

  act(): void {
    const { chance, clients } = this.#parts;
    const one = chance.pick(this.#slow);
    if (chance.oneIn(2)) one.hold(!chance.oneIn(8));
    const publisher = chance.pick(clients);
    for (let left = chance.between(4, 40); left > 0; left--) {
      publisher.publish(chance.pick(TOPICS), chance.oneIn(3) ? 1 : 0);
    }
  }

  rest(): void {
    for (const one of this.#slow) one.hold(false);
  }

  check(): void {
    const { clients, ledger, machine } = this.#parts;
    const nowMs = machine.clock.nowMs();
    let lost = 0;
    for (const one of clients) {
      const since = one.connectedAt;
      const missing = since === undefined ? 0 : ledger.missingQoS0(one.id, { since, nowMs });
      if (missing > 0 && !this.#slow.includes(one)) throw new Error(`${one.id} lost ${missing} of QoS 0, and reads`);
      lost += missing;
    }
    if (lost > machine.dropped) throw new Error(`${lost} of QoS 0 are lost, and ${machine.dropped} were counted`);
  }
}
