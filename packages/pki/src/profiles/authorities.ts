// The two CA profiles. The root signs the issuing CA and nothing else; the issuing CA signs leaves and no further CA.

import { type Plan, plan } from './profile.ts';

/** `id` tells two installations apart in a trust store; hex. */
export function rootProfile(id: string): Plan {
  return plan('root', `Motte root CA ${id}`, []);
}

/** `id` is that of the root. */
export function issuingProfile(id: string): Plan {
  return plan('issuing', `Motte issuing CA ${id}`, []);
}
