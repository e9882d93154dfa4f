// The Backplane of a broker that is alone: nobody else is interested in anything.

import type { Backplane } from '../ports/backplane.ts';

export const ALONE: Backplane = {
  wants: () => false,
  publish: () => undefined,
  interest: () => undefined,
  kick: () => undefined,
};
