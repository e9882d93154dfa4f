// The policies of a data directory: the same whether a broker runs on it or a command has it alone. A new one is read, judged
// and tested; then it is stored; only then it is in force.

import { MotteError } from '@motte/admin/errors';
import type { BrokerEvent } from '@motte/broker/events';
import { builtInPolicy, diffPolicies, lintPolicy, type Policy, runTests } from '@motte/broker/policy';
import type { PolicyHistory } from '@motte/broker/policy-history';
import type { ListenerFacts } from '@motte/broker/ports/connection-facts';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import type {
  LostRights,
  Policies,
  PolicyReplay,
  PolicyReport,
  PolicyRow,
  StoredPolicy,
} from '@motte/broker/ports/policies';
import { PolicyRefused, parsePolicy } from './document.ts';
import { renderRoles } from './render-policy.ts';

export interface PoliciesParts {
  readonly history: PolicyHistory;
  readonly directory: Pick<IdentityDirectory, 'find' | 'list'>;
  /** Undefined = not known. */
  readonly listeners: () => readonly Pick<ListenerFacts, 'name' | 'role'>[] | undefined;
  /** Puts it in force at once; answers what ended with the one before. */
  readonly use: (policy: Policy) => Promise<LostRights>;
  /** What it would mean for the sessions that are there; undefined = there is no broker. */
  readonly replay?: (policy: Policy) => PolicyReplay;
  readonly told: (event: BrokerEvent) => void;
}

export interface LivePolicies extends Policies {
  /** In force. */
  readonly policy: Policy;
}

/** Throws MOT-0905 if the one that was in force cannot be read any more. */
export function createPolicies({ history, directory, listeners, use, replay, told }: PoliciesParts): LivePolicies {
  let inForce = policyInForce(history);
  let last: Promise<unknown> = Promise.resolve();
  /** One change at a time, each judged against the one before. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  const judge = (policy: Policy): PolicyReport => {
    const { passed, failed, roles } = runTests(policy, ({ realm, name }) => directory.find(realm, name));
    const world = { identities: directory.list(), listeners: listeners(), tested: roles };
    return {
      findings: lintPolicy(policy, world),
      passed,
      failed: failed.map(({ test: { place, text }, because }) => ({ place, test: text, because })),
      changes: diffPolicies(inForce, policy),
      replay: replay?.(policy),
    };
  };
  return {
    get policy() {
      return inForce;
    },
    get version() {
      return history.policies.at(-1)?.version ?? 0;
    },
    list: () => [...[...history.policies].reverse().map(rowOf), rowOf(builtIn())],
    read(version = history.policies.at(-1)?.version ?? 0) {
      const found = version === 0 ? builtIn() : history.policies.find((one) => one.version === version);
      if (found === undefined) throw new MotteError('MOT-0906', String(version));
      return found;
    },
    check: ({ text, file }) => judge(parsePolicy(text, file)),
    apply: ({ text, file, by, why, strict }) =>
      inTurn(async () => {
        const policy = parsePolicy(text, file);
        const report = judge(policy);
        const [failed] = report.failed;
        if (failed !== undefined) {
          const more = report.failed.length > 1 ? `, and ${report.failed.length - 1} more` : '';
          throw new MotteError('MOT-0903', `${failed.place}: ${failed.test}: ${failed.because}${more}`);
        }
        const [finding] = report.findings;
        if (strict && finding !== undefined) {
          throw new MotteError('MOT-0904', `${report.findings.length}, the first: ${finding.place}: ${finding.why}`);
        }
        const stored = await history.append({ appliedAtMs: Date.now(), by, why, file, text });
        inForce = policy;
        const lost = await use(policy);
        told({ name: 'policy.applied', atMs: stored.appliedAtMs, version: stored.version, by, why, ...lost });
        return { policy: rowOf(stored), report, lost };
      }),
  };
}

/** The latest of the history, or the built-in one. Throws MOT-0905. */
export function policyInForce({ policies }: Pick<PolicyHistory, 'policies'>): Policy {
  const latest = policies.at(-1);
  if (latest === undefined) return builtInPolicy();
  try {
    return parsePolicy(latest.text, latest.file);
  } catch (fault) {
    if (!(fault instanceof PolicyRefused)) throw fault;
    throw new MotteError('MOT-0905', `version ${latest.version}: ${fault.why}`, { cause: fault });
  }
}

function builtIn(): StoredPolicy {
  const text = renderRoles(builtInPolicy());
  return { version: 0, appliedAtMs: 0, by: 'motte', why: 'built in', file: 'built-in', text };
}

function rowOf({ version, appliedAtMs, by, why, file }: StoredPolicy): PolicyRow {
  return { version, appliedAtMs, by, why, file };
}
