// What is found out about a policy before it may be in force: whether it can be read, whether its tests pass, what is most likely
// not meant. The same in a command of its own, in this thread, and beside a broker, in another; see judge-thread.ts.

import { type Finding, lintPolicy, type Policy, type Registered, runTests } from '@motte/broker/policy';
import type { ListenerFacts } from '@motte/broker/ports/connection-facts';
import type { PolicyReport, PolicySource } from '@motte/broker/ports/policies';
import { parsePolicy } from './document.ts';

export interface JudgeWorld {
  readonly registered: Registered;
  /** Undefined = not known. */
  readonly listeners: readonly Pick<ListenerFacts, 'name' | 'role'>[] | undefined;
}

export interface Judgement extends Pick<PolicyReport, 'passed' | 'failed'> {
  /** All but those about who is registered. */
  readonly findings: readonly Finding[];
}

export interface Judged {
  readonly policy: Policy;
  readonly judgement: Judgement;
}

/** Rejects with PolicyRefused, or with the reason of the signal. */
export type Judge = (source: PolicySource, world: JudgeWorld, signal: AbortSignal) => Promise<Judged>;

/** In this thread, which does nothing else meanwhile. */
export const judgeHere: Judge = async ({ text, file }, world) => {
  const policy = parsePolicy(text, file);
  return { policy, judgement: judgePolicy(policy, world) };
};

export function judgePolicy(policy: Policy, { registered, listeners }: JudgeWorld): Judgement {
  const { passed, failed, roles } = runTests(policy, registered);
  return {
    findings: lintPolicy(policy, { identities: undefined, listeners, tested: roles }),
    passed,
    failed: failed.map(({ test: { place, text }, because }) => ({ place, test: text, because })),
  };
}
