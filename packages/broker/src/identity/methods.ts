// Enhanced authentication (4.12): a method proves something over as many rounds of AUTH as it needs. Where the listener has a
// proof of its own, the method comes on top of it and may not change who that is; on a listener for methods it is the proof.

import type { AuthenticationMode } from '../ports/connection-facts.ts';
import type { Authentication, Evidence, Proven } from '../ports/guards.ts';
import { identityKey } from '../ports/identity.ts';
import { refuse } from '../ports/verdict.ts';
import { earlierEnd, type Proof } from './authenticate.ts';

/** One method; `base` is what the listener's own proof has found, undefined where the method alone is to prove. */
export type AuthenticationMethod = (
  evidence: Evidence,
  base: Proven | undefined,
) => Authentication | Promise<Authentication>;

/** By Authentication Method, compared exactly. */
export type AuthenticationMethods = ReadonlyMap<string, AuthenticationMethod>;

/** The proof that `createAuthenticate` takes: the listener's own, then the method that the CONNECT names. */
export function proofOf(own: Proof, methods: AuthenticationMethods): Proof {
  const goOn = (evidence: Evidence, base: Authentication | undefined) =>
    base === undefined || base.allow === true ? runMethod(evidence, base, methods) : base;
  return (evidence) => {
    const base = own(evidence);
    return base instanceof Promise ? base.then((settled) => goOn(evidence, settled)) : goOn(evidence, base);
  };
}

/** The first of several proofs that is not silent; which one that is, listener and evidence decide. */
export function firstOf(proofs: readonly Proof[]): Proof {
  const from = (evidence: Evidence, index: number): ReturnType<Proof> => {
    for (let at = index; at < proofs.length; at++) {
      const outcome = (proofs[at] as Proof)(evidence);
      if (outcome instanceof Promise) return outcome.then((settled) => settled ?? from(evidence, at + 1));
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  };
  return (evidence) => from(evidence, 0);
}

/** Runs the method that the CONNECT names, if it names one; an unknown one is refused [MQTT-4.12.0-1]. */
function runMethod(evidence: Evidence, base: Proven | undefined, methods: AuthenticationMethods): ReturnType<Proof> {
  if (evidence.method === undefined) return base;
  const method = methods.get(evidence.method);
  if (method === undefined) {
    const because = `there is no authentication method ${JSON.stringify(evidence.method.slice(0, METHOD_SHOWN))} here`;
    return refuse('bad-authentication-method', because, 'MQTT-4.12.0-1');
  }
  const { authentication } = evidence.facts.listener;
  if (base === undefined && !isProofOn(authentication, evidence.method)) {
    const because = `this listener takes a ${authentication}, not an authentication method`;
    return refuse('bad-authentication-method', because, 'listeners.authentication');
  }
  const answer = method(evidence, base);
  return answer instanceof Promise ? answer.then((outcome) => bound(outcome, base)) : bound(answer, base);
}

/** Whether a method alone proves who somebody is on a listener. */
function isProofOn(authentication: AuthenticationMode, method: string): boolean {
  if (authentication === 'any') return true;
  return method === TOKEN_METHOD ? authentication === 'token' : authentication === 'scram';
}

/** Holds every round to the identity that was proven before the first. */
function bound(outcome: Authentication, base: Proven | undefined): Authentication {
  if (outcome.allow === false || base === undefined) return outcome;
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

/** The method whose data is a token, whole. */
export const TOKEN_METHOD = 'JWT';

const METHOD_SHOWN = 80;
