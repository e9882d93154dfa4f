// Enhanced authentication (4.12): a method proves something on top of what the listener demands anyway, over as many rounds
// of AUTH as it needs. None is built in yet; the registry is where they go.

import type { Authentication, Evidence, Proven } from '../ports/guards.ts';
import { identityKey } from '../ports/identity.ts';
import { refuse } from '../ports/verdict.ts';
import { earlierEnd, type Proof } from './authenticate.ts';
import type { Prove } from './prove.ts';

/** One method; `base` is what the listener's own proof has found. It may not change who that is. */
export type AuthenticationMethod = (evidence: Evidence, base: Proven) => Authentication | Promise<Authentication>;

/** By Authentication Method, compared exactly. */
export type AuthenticationMethods = ReadonlyMap<string, AuthenticationMethod>;

/** The proof that `createAuthenticate` takes: the listener's own, then the method that the CONNECT names. */
export function proofOf(prove: Prove, methods: AuthenticationMethods): Proof {
  return (evidence) => {
    const base = prove(evidence);
    return base.allow ? runMethod(evidence, base, methods) : base;
  };
}

/** Runs the method that the CONNECT names, if it names one; an unknown one is refused [MQTT-4.12.0-1]. */
function runMethod(
  evidence: Evidence,
  base: Proven,
  methods: AuthenticationMethods,
): Authentication | Promise<Authentication> {
  if (evidence.method === undefined) return base;
  const method = methods.get(evidence.method);
  if (method === undefined) {
    const because = `there is no authentication method ${JSON.stringify(evidence.method.slice(0, METHOD_SHOWN))} here`;
    return refuse('bad-authentication-method', because, 'MQTT-4.12.0-1');
  }
  const answer = method(evidence, base);
  return answer instanceof Promise ? answer.then((outcome) => bound(outcome, base)) : bound(answer, base);
}

/** Holds every round to the identity that was proven before the first. */
function bound(outcome: Authentication, base: Proven): Authentication {
  if (outcome.allow === false) return outcome;
  if (outcome.allow === 'challenge') {
    const { data } = outcome;
    return { allow: 'challenge', data, respond: async (answer) => bound(await outcome.respond(answer), base) };
  }
  if (identityKey(outcome.identity) !== identityKey(base.identity)) {
    const because = `the method proved ${outcome.identity.name}, the connection is ${base.identity.name}'s`;
    return refuse('not-authorized', because, 'identity.methods');
  }
  return {
    allow: true,
    identity: base.identity,
    data: outcome.data,
    expiresAtMs: earlierEnd(outcome.expiresAtMs, base.expiresAtMs),
  };
}

const METHOD_SHOWN = 80;
