// `identity`: promised, not in this version.

import { later } from '../setting.ts';

export const IdentitySection = later('Further proofs of identity: passwords, tokens, other authorities.');
