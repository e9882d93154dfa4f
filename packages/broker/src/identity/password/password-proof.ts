// Proves a user by name and password, on listeners for passwords and on those where anything proves. What went wrong is for
// the operator: the peer gets one answer after one hash, whether there is no such user, the password is wrong or the user is
// disabled. Hashing waits in a bounded queue and holds one thread; a login that was right before needs none.

import { isDeviceName } from '@motte/pki/protocol';
import type { Clock } from '../../ports/clock.ts';
import type { IdentityDirectory, RegisteredIdentity, Verifier } from '../../ports/directory.ts';
import type { Authentication, Evidence } from '../../ports/guards.ts';
import type { Limits } from '../../ports/limits.ts';
import { PASSWORD_REALM } from '../../ports/users.ts';
import { type Refusal, refuse } from '../../ports/verdict.ts';
import type { Proof } from '../authenticate.ts';
import { withListenerRole } from '../listener-role.ts';
import { Recent } from '../recent.ts';
import { sourceOf } from '../source.ts';
import { ARGON2, type Hashing, isOutdated, makeDecoyHash } from './argon2.ts';
import { LoginQueue, type Unserved } from './login-queue.ts';
import type { LoginThrottle } from './login-throttle.ts';
import { verifyMosquittoHash } from './mosquitto-hash.ts';
import { RememberedLogins } from './remembered-logins.ts';

export interface PasswordProofParts {
  readonly directory: IdentityDirectory;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly throttle: LoginThrottle;
  readonly hashing?: Hashing;
}

interface Attempt {
  readonly evidence: Evidence;
  readonly source: string;
  readonly name: string;
  /** Bytes of its own: the packet's are used again while it waits. */
  readonly password: Uint8Array;
}

/** Silent where nobody asks for a password, or a method is named instead. */
export function createPasswordProof(parts: PasswordProofParts): Proof {
  const { directory, clock, limits, throttle, hashing = ARGON2 } = parts;
  const queue = new LoginQueue({
    clock,
    waitingMax: limits.loginsWaitingMax,
    waitingPerSourceMax: limits.loginsWaitingPerSourceMax,
    deadlineMs: limits.authenticateDeadlineMs,
  });
  const remembered = new RememberedLogins();
  const knownPairs = new Recent<true>(KNOWN_PAIRS_MAX);
  const decoy = makeDecoyHash();

  return (evidence) => {
    if (!isAsked(evidence)) return undefined;
    const attempt = attemptOf(evidence);
    if ('allow' in attempt) return attempt;
    const { source, name, password } = attempt;
    const user = directory.find(PASSWORD_REALM, name);
    const early = throttled(attempt, user);
    if (early !== undefined) return early;
    if (user?.state === 'active' && user.verifier !== undefined && remembered.has(name, password, user.verifier)) {
      return proven(user, evidence);
    }
    const lane = knownPairs.get(`${source}\n${name}`) === true ? 'known' : 'new';
    return queue.run(lane, source, () => look(attempt)).then(answered);
  };

  function throttled({ source, name }: Attempt, user: RegisteredIdentity | undefined): Refusal | undefined {
    const waitMs = throttle.waitMs(source, name, user?.verifier);
    if (waitMs === 0) return undefined;
    const because = `too many wrong passwords for ${name} from here: the next one is looked at in ${Math.ceil(waitMs / 1000)} s`;
    return refuse('connection-rate-exceeded', because, 'identity.throttle');
  }

  /** Its turn has come: one hash, whoever it is. */
  async function look(attempt: Attempt): Promise<Authentication> {
    const { evidence, source, name, password } = attempt;
    const user = directory.find(PASSWORD_REALM, name);
    // Others of this pair may have failed while it waited.
    const late = throttled(attempt, user);
    if (late !== undefined) return late;
    const fits = await verify(user?.verifier, password);
    // The hash took its time: only who is still there, active, with the same password is let in.
    const now = directory.find(PASSWORD_REALM, name);
    if (!fits || now?.state !== 'active' || now.verifier === undefined || now.verifier !== user?.verifier) {
      throttle.failed(source, name, now?.verifier);
      return wrong(name, fits, now);
    }
    const verifier = await renewed(now, now.verifier, password);
    // A new one took its time as well.
    const last = directory.find(PASSWORD_REALM, name);
    if (last?.state !== 'active' || last.verifier !== verifier) return wrong(name, fits, last);
    throttle.succeeded(source, name);
    knownPairs.set(`${source}\n${name}`, true);
    remembered.add(name, password, verifier);
    return proven(last, evidence);
  }

  /** Exactly one argon2 for a password that does not fit, and none for an old hash that does: renewing it takes that one. */
  async function verify(verifier: Verifier | undefined, password: Uint8Array): Promise<boolean> {
    if (verifier?.kind === 'argon2id') return hashing.verify(verifier.hash, password);
    if (verifier?.kind === 'mosquitto' && (await verifyMosquittoHash(verifier.hash, password))) return true;
    await hashing.verify(decoy, password);
    return false;
  }

  /** The verifier that is good from now on, unless somebody changed the user; one of another program or time is replaced. */
  async function renewed(user: RegisteredIdentity, verifier: Verifier, password: Uint8Array): Promise<Verifier> {
    if (verifier.kind === 'argon2id' && !isOutdated(verifier.hash)) return verifier;
    const next: Verifier = { kind: 'argon2id', hash: await hashing.hash(password) };
    const now = directory.find(PASSWORD_REALM, user.name);
    if (now?.verifier !== verifier) return verifier;
    // If it cannot be written the old one stays, and the next login tries again. A change that is being written stands before this one.
    await directory.put({ ...now, verifier: next }, now).catch(() => undefined);
    return directory.find(PASSWORD_REALM, user.name)?.verifier === next ? next : verifier;
  }
}

function isAsked({ facts, method, userName, password }: Evidence): boolean {
  if (method !== undefined) return false;
  const { authentication } = facts.listener;
  return (
    authentication === 'password' || (authentication === 'any' && userName !== undefined && password !== undefined)
  );
}

function attemptOf(evidence: Evidence): Attempt | Refusal {
  const { userName, password, facts } = evidence;
  if (userName === undefined || password === undefined || password.length === 0) {
    return bad('no user name and password came; this listener demands both');
  }
  // Users are named as devices are.
  if (!isDeviceName(userName)) return bad('the user name is none that a user can have');
  if (password.length > PASSWORD_BYTES_MAX) return bad(`the password has more than ${PASSWORD_BYTES_MAX} bytes`);
  return { evidence, source: sourceOf(facts.address), name: userName, password: Uint8Array.from(password) };
}

function wrong(name: string, fits: boolean, user: RegisteredIdentity | undefined): Refusal {
  if (user === undefined) return bad(`there is no user ${name} who logs in with a password`);
  if (user.state !== 'active') return bad(`the user ${name} is disabled`);
  return bad(fits ? `the password of ${name} was changed meanwhile` : `the password is not that of ${name}`);
}

function answered(outcome: Authentication | Unserved): Authentication {
  if (outcome === 'full') {
    return refuse('server-busy', 'as many logins as may wait do so already', 'limits.loginsWaitingMax');
  }
  if (outcome === 'late') {
    return refuse('server-busy', 'the login waited too long for its turn', 'limits.authenticateDeadlineMs');
  }
  return outcome;
}

function proven({ name, roles }: RegisteredIdentity, { facts }: Evidence): Authentication {
  const identity = {
    realm: PASSWORD_REALM,
    name,
    kind: 'user',
    roles: withListenerRole(roles, facts.listener.role),
  } as const;
  return { allow: true, identity, data: undefined, expiresAtMs: 0 };
}

function bad(because: string): Refusal {
  return refuse('bad-user-name-or-password', because, 'identity.password');
}

const PASSWORD_BYTES_MAX = 1024;
const KNOWN_PAIRS_MAX = 50_000;
