// Observers watch and cannot change or delay anything: what they throw is swallowed and counted.

import type { BrokerEvent } from '../events.ts';

export type Observer = (event: BrokerEvent) => void;
