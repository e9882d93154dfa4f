// While nobody knows what time it is, what hangs on dates is not judged: certificates and tokens. Who comes by a password, SCRAM or
// a pre-shared key needs no clock.

import type { Evidence } from '../ports/guards.ts';
import { refuse } from '../ports/verdict.ts';
import type { Proof } from './authenticate.ts';
import { looksLikeToken } from './token-form.ts';

/** `timeUnknown` says why, or undefined. The refusal is one that a client tries again after. */
export function createTimeProof(timeUnknown: () => string | undefined): Proof {
  return (evidence) => {
    const why = timeUnknown();
    return why === undefined || !hangsOnDates(evidence) ? undefined : refuse('server-unavailable', why, 'clock');
  };
}

function hangsOnDates({ facts: { listener, tls }, password, method }: Evidence): boolean {
  const { authentication } = listener;
  if (authentication === 'certificate' || authentication === 'token') return true;
  if (authentication !== 'any') return false;
  return tls?.certificate !== undefined || method === 'JWT' || (password !== undefined && looksLikeToken(password));
}
