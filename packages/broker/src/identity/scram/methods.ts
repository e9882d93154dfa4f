// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS as authentication methods of MQTT 5.0 (RFC 5802, 7677; channel binding by RFC 9266):
// the client proves that it knows the password without sending it, and the broker that it knows the user. Nobody can tell a
// name that exists from one that does not: an unknown one has a salt as well, and fails where a wrong password does.

import { randomBytes } from 'node:crypto';
import { isDeviceName } from '@motte/pki/protocol';
import type { IdentityDirectory, RegisteredIdentity } from '../../ports/directory.ts';
import type { Authentication, Evidence } from '../../ports/guards.ts';
import { SCRAM_REALM } from '../../ports/users.ts';
import { type Refusal, refuse } from '../../ports/verdict.ts';
import type { Proof } from '../authenticate.ts';
import { withListenerRole } from '../listener-role.ts';
import type { AuthenticationMethod, AuthenticationMethods } from '../methods.ts';
import type { LoginThrottle } from '../password/login-throttle.ts';
import { sourceOf } from '../source.ts';
import { hmac, ITERATIONS, isProof, KEY_BYTES, SALT_BYTES, type ScramVerifier } from './keys.ts';
import { type ClientFirst, parseClientFinal, parseClientFirst } from './messages.ts';

export interface ScramParts {
  readonly directory: IdentityDirectory;
  readonly throttle: LoginThrottle;
  /** The broker's part of the nonce; by default 18 random bytes. */
  readonly nonce?: () => string;
}

const METHOD = 'SCRAM-SHA-256';
const METHOD_PLUS = 'SCRAM-SHA-256-PLUS';

export function createScramMethods(parts: ScramParts): AuthenticationMethods {
  const decoys = new Decoys(parts.directory.decoyKey ?? randomBytes(KEY_BYTES));
  const method = (plus: boolean): AuthenticationMethod => {
    return (evidence, base) => {
      if (base === undefined) return begin(parts, decoys, evidence, plus);
      const because = `${base.identity.name} is proven already; SCRAM is a proof of its own, and the only one on its connection`;
      return refuse('bad-authentication-method', because, 'listeners.authentication');
    };
  };
  return new Map([
    [METHOD, method(false)],
    [METHOD_PLUS, method(true)],
  ]);
}

/** Says on a listener for SCRAM what is missing; silent elsewhere. */
export const demandScram: Proof = ({ facts, method }) => {
  if (facts.listener.authentication !== 'scram' || method !== undefined) return undefined;
  const because = `this listener takes the Authentication Method ${METHOD} of MQTT 5.0, and the client named none`;
  return refuse('not-authorized', because, 'listeners.authentication');
};

/** The client's first message: who it says it is, and what its channel is bound by. */
function begin(parts: ScramParts, decoys: Decoys, evidence: Evidence, plus: boolean): Authentication {
  const { directory, throttle, nonce: makeNonce = randomNonce } = parts;
  const first = parseClientFirst(evidence.data);
  if (first === undefined) return no("the client's first SCRAM message is none (RFC 5802, 7)");
  const { name, authorizationId, bare } = first;
  if (authorizationId !== '' && authorizationId !== name) return no(`${shown(name)} asks to act as somebody else`);
  const bound = bindingOf(first, evidence, plus);
  if ('allow' in bound) return bound;
  const user = isDeviceName(name) ? directory.find(SCRAM_REALM, name) : undefined;
  const source = sourceOf(evidence.facts.address);
  // Whatever cannot be a name counts as one.
  const counted = isDeviceName(name) ? name : '';
  const throttled = (of: RegisteredIdentity | undefined): Refusal | undefined => {
    const waitMs = throttle.waitMs(source, counted, of?.verifier);
    if (waitMs === 0) return undefined;
    const because = `too many wrong passwords for ${shown(name)} from here: the next one is looked at in ${Math.ceil(waitMs / 1000)} s`;
    return refuse('connection-rate-exceeded', because, 'identity.throttle');
  };
  const early = throttled(user);
  if (early !== undefined) return early;
  const verifier = user?.verifier?.kind === 'scram-sha-256' ? user.verifier : decoys.verifierOf(name);
  const nonce = `${first.nonce}${makeNonce()}`;
  const serverFirst = `r=${nonce},s=${verifier.salt},i=${verifier.iterations}`;

  const respond = (data: Uint8Array | undefined): Authentication => {
    const final = parseClientFinal(data);
    if (final === undefined) return no("the client's final SCRAM message is none (RFC 5802, 7)");
    if (final.nonce !== nonce) return no('the client answers with another nonce: it speaks of another exchange');
    if (!bound.expected.equals(final.channelBinding)) {
      return no('the client is bound to another channel, or what it said of that was changed on the way');
    }
    const now = isDeviceName(name) ? directory.find(SCRAM_REALM, name) : undefined;
    // Others of this pair may have failed since it began: as many as are connected at once would each have a guess.
    const late = throttled(now);
    if (late !== undefined) return late;
    const authMessage = `${bare},${serverFirst},${final.withoutProof}`;
    const fits = isProof(final.proof, Buffer.from(verifier.storedKey, 'base64'), authMessage);
    if (!fits || now?.state !== 'active' || now.verifier !== verifier) {
      throttle.failed(source, counted, now?.verifier);
      return wrong(name, fits, now);
    }
    throttle.succeeded(source, counted);
    const signature = hmac(Buffer.from(verifier.serverKey, 'base64'), authMessage).toString('base64');
    const roles = withListenerRole(now.roles, evidence.facts.listener.role);
    const identity = { realm: SCRAM_REALM, name, kind: 'user', roles } as const;
    return { allow: true, identity, data: Buffer.from(`v=${signature}`), expiresAtMs: 0 };
  };
  return { allow: 'challenge', data: Buffer.from(serverFirst), respond: async (data) => respond(data) };
}

/** What the client's final message has to repeat of its header, with what the channel itself has in common (RFC 5802, 6). */
function bindingOf(
  { binding, gs2Header }: ClientFirst,
  { facts }: Evidence,
  plus: boolean,
): { readonly expected: Buffer } | Refusal {
  const header = Buffer.from(gs2Header);
  const channel = facts.tls?.channelBinding;
  if (!plus) {
    if (binding === 'n') return { expected: header };
    if (binding !== 'y') return no(`${METHOD} binds to no channel: the client means ${METHOD_PLUS}`);
    // Were this accepted, whoever stands between could hide from the client that there is a binding.
    if (channel !== undefined)
      return no(`the client believes that there is no ${METHOD_PLUS} here: somebody told it so`);
    return { expected: header };
  }
  if (typeof binding === 'string') return no(`${METHOD_PLUS} without a channel binding`);
  if (binding.name !== 'tls-exporter')
    return no(`the channel binding ${shown(binding.name)} is not known: tls-exporter is`);
  if (channel === undefined) return no('tls-exporter needs TLS 1.3, and this connection has none');
  return { expected: Buffer.concat([header, channel()]) };
}

function wrong(name: string, fits: boolean, user: RegisteredIdentity | undefined): Refusal {
  if (user === undefined) return no(`there is no user ${shown(name)} who logs in by SCRAM`);
  if (user.state !== 'active') return no(`the user ${name} is disabled`);
  return no(fits ? `the password of ${name} was changed meanwhile` : `the proof does not fit the password of ${name}`);
}

/** One answer for all of them [MQTT-4.12.0-4]. */
function no(because: string): Refusal {
  return refuse('not-authorized', because, 'identity.scram');
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, TEXT_SHOWN));
}

function randomNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64');
}

/** What users that do not exist are checked against: the same salt at every try, and keys that nobody has a password for. */
class Decoys {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  verifierOf(name: string): ScramVerifier {
    return {
      kind: 'scram-sha-256',
      salt: hmac(this.#key, `salt\n${name}`).subarray(0, SALT_BYTES).toString('base64'),
      iterations: ITERATIONS,
      storedKey: hmac(this.#key, `stored key\n${name}`).toString('base64'),
      serverKey: hmac(this.#key, `server key\n${name}`).toString('base64'),
    };
  }
}

const NONCE_BYTES = 18;
const TEXT_SHOWN = 80;
