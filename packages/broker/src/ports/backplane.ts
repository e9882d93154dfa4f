// Backplane = all that does not survive: live fan-out to other nodes, interest, kick. In one process a no-op.

import type { TopicFilter, TopicName } from '@motte/wire';
import type { Message } from './message.ts';

export interface Backplane {
  /** True if some other node is interested in this topic. */
  wants(topic: TopicName): boolean;
  /** Hands a message to the nodes whose interest matches it. */
  publish(message: Message): void;
  /** Tells the other nodes that someone here wants, or no longer wants, this filter. */
  interest(filter: TopicFilter, wanted: boolean): void;
  /** Ends the session's connection wherever it is older than `generation`. */
  kick(sessionKey: string, generation: number): void;
}
