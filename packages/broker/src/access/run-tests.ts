// Runs the tests of a policy against its rules: by the one decision function, for somebody imagined.

import { type IdentityKind, identityKey } from '../ports/identity.ts';
import { type CompiledRules, compileRules } from './compile.ts';
import { decide } from './decide.ts';
import { explain } from './explain.ts';
import { asEnrolled, imagineSubject } from './imagine-subject.ts';
import type { Who } from './names.ts';
import type { Policy } from './policy.ts';
import type { PolicyTest } from './policy-test.ts';

/** What the registry knows of somebody; undefined = nothing. */
export type Registered = (who: Who) => { readonly kind: IdentityKind; readonly roles: readonly string[] } | undefined;

export interface FailedTest {
  readonly test: PolicyTest;
  /** What the policy says instead, and by which rule. */
  readonly because: string;
}

export interface TestRun {
  readonly passed: number;
  readonly failed: readonly FailedTest[];
  /** Roles that took part. */
  readonly roles: ReadonlySet<string>;
}

export function runTests(policy: Policy, registered: Registered): TestRun {
  const failed: FailedTest[] = [];
  const roles = new Set<string>();
  const known = new Map<string, CompiledRules>();
  for (const test of policy.tests) {
    const key = JSON.stringify([test.who.realm, test.who.name, test.as, test.from, test.via]);
    let compiled = known.get(key);
    if (compiled === undefined) {
      compiled = compileFor(policy, test, registered);
      known.set(key, compiled);
      for (const { name } of compiled.roles) roles.add(name);
    }
    const because = failureOf(test, compiled);
    if (because !== undefined) failed.push({ test, because });
  }
  return { passed: policy.tests.length - failed.length, failed, roles };
}

/** `as` names the roles itself; else they are those of the registry and the groups; of whom neither knows, as enrolled. */
function compileFor(policy: Policy, { who, as, from, via }: PolicyTest, registered: Registered): CompiledRules {
  const known = registered(who);
  const inGroup = policy.memberships.has(identityKey(who));
  const taken = known ?? (inGroup ? undefined : asEnrolled(who));
  const subject = imagineSubject(who, taken, { address: from, listener: via });
  if (as === undefined) return compileRules(policy, subject);
  const identity = { ...subject.identity, roles: as };
  return compileRules({ ...policy, memberships: NOBODY }, { ...subject, identity });
}

function failureOf({ action, target, qos, retain, may }: PolicyTest, compiled: CompiledRules): string | undefined {
  const message = action === 'subscribe' ? undefined : { qos, retain, sealed: false };
  const decision = decide(compiled, action, target, message);
  if ((decision.outcome === 'allow') === may) return undefined;
  if (may) return explain(compiled, decision, action, target, message).because;
  return `${decision.by?.label ?? ''} allows it: ${decision.by?.rule.text ?? ''}`;
}

const NOBODY: Policy['memberships'] = new Map();
