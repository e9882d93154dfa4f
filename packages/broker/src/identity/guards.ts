// Identity's part of the guards, put together: the proof of every CONNECT. Bans and rates will answer `admit` from outside.

import type { Clock } from '../ports/clock.ts';
import type { ConnectionFacts, TlsFacts } from '../ports/connection-facts.ts';
import type { IdentityDirectory } from '../ports/directory.ts';
import type { CheckOutsider, Guards } from '../ports/guards.ts';
import type { Limits } from '../ports/limits.ts';
import type { PosturePolicy } from '../ports/posture.ts';
import type { CertificateInUse, TrustFacts } from '../ports/trust.ts';
import { createAuthenticate, type Proof } from './authenticate.ts';
import type { CertificateProof } from './certificate.ts';
import { type AuthenticationMethods, firstOf, proofOf } from './methods.ts';
import type { Hashing } from './password/argon2.ts';
import { LoginThrottle } from './password/login-throttle.ts';
import { createPasswordProof } from './password/password-proof.ts';
import { createAssess } from './posture.ts';
import { createProve } from './prove.ts';
import { createPskProof } from './psk.ts';
import { createScramMethods, demandScram } from './scram/methods.ts';
import { createStanding, refuseRevoked, revocationOf } from './standing.ts';
import { createStatusProof } from './status-proof.ts';
import { createTimeProof } from './time-proof.ts';

export type { TrustFacts } from '../ports/trust.ts';

export interface GuardsParts {
  readonly directory: IdentityDirectory;
  readonly trust: TrustFacts;
  readonly clock: Clock;
  readonly limits: Limits;
  /** What else proves an identity by itself: tokens. Asked in order, each silent where it is not asked for. */
  readonly proofs?: readonly Proof[];
  /** Enhanced authentication beside SCRAM. */
  readonly methods?: AuthenticationMethods;
  readonly checkOutsider?: CheckOutsider | undefined;
  /** Takes the place of argon2. */
  readonly hashing?: Hashing;
  /** What is looked at once it is proven who comes. */
  readonly posture?: PosturePolicy | undefined;
  /** Why nobody knows what time it is: while it says so no certificate or token is judged. Absent = the clock is trusted. */
  readonly timeUnknown?: () => string | undefined;
  /** Asked after the broker's own proof; each may refuse what that allows. */
  readonly others?: readonly Proof[];
}

export function createGuards(parts: GuardsParts): Guards {
  const { directory, trust, clock, limits, proofs, methods, hashing, posture, others } = parts;
  const { timeUnknown = () => undefined } = parts;
  const throttle = new LoginThrottle(clock);
  const passwords = createPasswordProof({ directory, clock, limits, throttle, ...(hashing ? { hashing } : {}) });
  const scram = createScramMethods({ directory, throttle });
  const seen = new WeakMap<TlsFacts, CertificateProof>();
  const certificates = createProve({ clock, directory, trust, proofs: seen });
  const certificateOf = ({ tls }: ConnectionFacts): CertificateInUse | undefined => {
    const proof = tls === undefined ? undefined : seen.get(tls);
    return proof === undefined || tls?.certificate === undefined ? undefined : { ...proof, der: tls.certificate };
  };
  const status = createStatusProof({ trust, certificateOf });
  // Passwords last: whatever else can come in their place is told from them by its form.
  const own = firstOf([certificates, createPskProof(directory), ...(proofs ?? []), passwords, demandScram]);
  return {
    admit: () => undefined,
    ...(posture === undefined ? {} : { assess: createAssess(posture) }),
    authenticate: createAuthenticate({
      proofs: [
        createTimeProof(timeUnknown),
        proofOf(own, new Map([...scram, ...(methods ?? [])])),
        status,
        ...(others ?? []),
      ],
      deadlineMs: limits.authenticateDeadlineMs,
      atOnceMax: limits.authenticationsAtOnceMax,
    }),
    certificateOf,
    standing: createStanding({ directory, trust, proofs: seen, checkOutsider: parts.checkOutsider }),
    takenBack: ({ realm, name }, certificate) => {
      const revoked = revocationOf({ realm, ...certificate }, trust);
      return revoked && { refusal: refuseRevoked({ name }), superseded: revoked.superseded };
    },
  };
}
