// PINGREQ (3.12): asks whether the other side is there. It has no body.

import type { Cursor } from '../cursor.ts';

export interface Pingreq {
  readonly type: 'pingreq';
}

export function decodePingreq(input: Cursor): Pingreq {
  input.finish();
  return { type: 'pingreq' };
}
