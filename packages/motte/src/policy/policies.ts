// The policies of a data directory: the same whether a broker runs on it or a command has it alone. A new one is read, judged
// and tested; then it is stored; only then it is in force. All that are checked or applied go through one line, so that each is
// judged against the one before, and one at a time.

import { MotteError } from '@motte/admin/errors';
import type { BrokerEvent } from '@motte/broker/events';
import { builtInPolicy, diffPolicies, FINDINGS_MAX, lintRegistry, type Policy } from '@motte/broker/policy';
import type { PolicyHistory } from '@motte/broker/policy-history';
import type { ListenerFacts } from '@motte/broker/ports/connection-facts';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import type {
  LostRights,
  Policies,
  PolicyReplay,
  PolicyReport,
  PolicyRow,
  PolicySource,
  StoredPolicy,
} from '@motte/broker/ports/policies';
import { PolicyRefused, parsePolicy } from './document.ts';
import { type Judge, judgeHere } from './judge.ts';
import { renderRoles } from './render-policy.ts';

export interface PoliciesParts {
  readonly history: PolicyHistory;
  readonly directory: Pick<IdentityDirectory, 'find' | 'list'>;
  /** Undefined = not known. */
  readonly listeners: () => readonly Pick<ListenerFacts, 'name' | 'role'>[] | undefined;
  /** Puts it in force at once; answers what ended with the one before. */
  readonly use: (policy: Policy) => Promise<LostRights>;
  /** What it would mean for the sessions that are there; undefined = there is no broker. */
  readonly replay?: (policy: Policy) => Promise<PolicyReplay>;
  /** By default in this thread. */
  readonly judge?: Judge;
  readonly told: (event: BrokerEvent) => void;
}

export interface LivePolicies extends Policies {
  /** In force. */
  readonly policy: Policy;
  /** Nothing more is judged, and who waits for it is told; what is being stored is finished. */
  close(): void;
}

/** Throws MOT-0905 if the one that was in force cannot be read any more. */
export function createPolicies(parts: PoliciesParts): LivePolicies {
  const { history, directory, listeners, use, replay, judge = judgeHere, told } = parts;
  let inForce = policyInForce(history);
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const jobs = new Set<AbortController>();
  const inTurn = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    if (isClosed) throw notJudged(ENDING);
    if (jobs.size >= JOBS_MAX) throw notJudged(`${jobs.size} others are to be judged before it`);
    const job = new AbortController();
    jobs.add(job);
    // Counted from when it was asked for: who asked has given up by then, and nothing may change behind their back.
    const timer = setTimeout(() => job.abort(notJudged('it took longer than 25 s')), JUDGED_WITHIN_MS);
    const done = last.then(() => {
      job.signal.throwIfAborted();
      return work(job.signal);
    });
    last = done.catch(() => undefined);
    try {
      return await done;
    } finally {
      clearTimeout(timer);
      jobs.delete(job);
    }
  };
  const judged = async (
    source: PolicySource,
    signal: AbortSignal,
  ): Promise<{ policy: Policy; report: PolicyReport }> => {
    const registered: Parameters<Judge>[1]['registered'] = ({ realm, name }) => directory.find(realm, name);
    const { policy, judgement } = await judge(source, { registered, listeners: listeners() }, signal);
    const findings = [...judgement.findings, ...lintRegistry(policy, directory.list())].slice(0, FINDINGS_MAX);
    const changes = diffPolicies(inForce, policy);
    return { policy, report: { ...judgement, findings, changes, replay: await replay?.(policy) } };
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
    check: (source) => inTurn(async (signal) => (await judged(source, signal)).report),
    apply: ({ text, file, by, why, strict }) =>
      inTurn(async (signal) => {
        const { policy, report } = await judged({ text, file }, signal);
        const [failed] = report.failed;
        if (failed !== undefined) {
          const more = report.failed.length > 1 ? `, and ${report.failed.length - 1} more` : '';
          throw new MotteError('MOT-0903', `${failed.place}: ${failed.test}: ${failed.because}${more}`);
        }
        const [finding] = report.findings;
        if (strict && finding !== undefined) {
          throw new MotteError('MOT-0904', `${report.findings.length}, the first: ${finding.place}: ${finding.why}`);
        }
        signal.throwIfAborted();
        const stored = await history.append({ appliedAtMs: Date.now(), by, why, file, text });
        inForce = policy;
        const lost = await use(policy);
        told({ name: 'policy.applied', atMs: stored.appliedAtMs, version: stored.version, by, why, ...lost });
        return { policy: rowOf(stored), report, lost };
      }),
    close() {
      isClosed = true;
      for (const job of jobs) job.abort(notJudged(ENDING));
    },
  };
}

function notJudged(why: string): MotteError {
  return new MotteError('MOT-0908', why);
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

const ENDING = 'the broker is ending';

/** Under way or waiting, each with a text of up to 1 MiB. */
const JOBS_MAX = 8;
/** Less than administrators wait for an answer, 30 s. */
const JUDGED_WITHIN_MS = 25_000;
