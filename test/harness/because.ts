// Why a broker refused, as its operator reads it.

import type { TestBroker } from './test-broker.ts';

/** What was said of the last refusal, and the rule that it rests on. */
export function because(broker: TestBroker): string {
  const events = broker.events.flatMap((event) => (event.name === 'peer.refused' ? [event] : []));
  return `${events.at(-1)?.because} [${events.at(-1)?.rule}]`;
}
