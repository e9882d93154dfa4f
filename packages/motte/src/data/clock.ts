// The clocks of this host, for whoever is given one.

import type { Clock } from '@motte/broker/ports/clock';

export const CLOCK: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
