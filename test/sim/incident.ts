// What happens in some worlds and not in others. Which ones is told by the seed alone, so that the rest play what they played before.

import type { BrokerEvent } from '../../packages/broker/src/events.ts';
import type { Limits } from '../../packages/broker/src/ports/limits.ts';
import type { Chance } from '../fuzz/chance.ts';
import type { Ledger } from './ledger.ts';
import type { Machine } from './machine.ts';
import type { SimClient } from './sim-client.ts';

export interface Incident {
  /** Something of it happens. */
  act(): void | Promise<void>;
  /** Nothing of it keeps what is under way from passing. */
  rest(): void;
  /** All that was under way has passed: what had to come of it has come. */
  check(): void;
  /** True if what the broker says is the incident's, and nobody else's matter. */
  observe?(event: BrokerEvent): boolean;
}

export interface IncidentParts {
  readonly chance: Chance;
  readonly limits: Limits;
  readonly machine: Machine;
  readonly ledger: Ledger;
  /** Everybody; who is added here takes part in all the rest. */
  readonly clients: SimClient[];
  connect(client: SimClient): void;
}

export type IncidentKind = 'policy' | 'removal' | 'slow';

/** By the remainder of the seed: none of the seeds that went wrong before there were any has one of these. */
export function incidentOf(seed: number): IncidentKind | undefined {
  return BY_REMAINDER[seed % 8];
}

const BY_REMAINDER: Readonly<Record<number, IncidentKind>> = { 1: 'slow', 5: 'removal', 7: 'policy' };
