// PINGRESP (3.13): the answer to PINGREQ. It has no body.

import type { Cursor } from '../cursor.ts';

export interface Pingresp {
  readonly type: 'pingresp';
}

export function decodePingresp(input: Cursor): Pingresp {
  input.finish();
  return { type: 'pingresp' };
}
