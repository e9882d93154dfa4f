// The policies of a data directory whether or not its broker runs: through the admin API, or in this process under the lock.
// What changes nothing needs no data directory: a policy can be checked where no broker ever was.

import { existsSync } from 'node:fs';
import {
  type AccessChecked,
  type AccessHolders,
  openAdmin,
  type PolicyApplied,
  type PolicyDocument,
  type PolicyReport,
  type PolicyVersion,
} from '@motte/admin';
import type { AccessQuestion } from '@motte/broker/ports/access-desk';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import type { AppliedPolicy, NewPolicy, PolicyRow, PolicySource } from '@motte/broker/ports/policies';
import type { Context } from '../context.ts';
import { registryPath } from '../data/layout.ts';
import { runningOrOffline } from '../data/running-or-offline.ts';

export interface OpenPolicies {
  /** The one in force without a version. */
  read(version?: number): Promise<PolicyDocument['policy']>;
  versions(): Promise<readonly PolicyVersion[]>;
  check(source: PolicySource): Promise<PolicyReport>;
  apply(policy: NewPolicy): Promise<Omit<PolicyApplied, 'format'>>;
  ask(question: AccessQuestion): Promise<Omit<AccessChecked, 'format'>>;
  who(topic: string): Promise<AccessHolders['holders']>;
}

export type Where = 'running' | 'offline';

/** Runs `work` on them. Without `writes` a directory that no broker was ever started on counts as one with the built-in policy. */
export async function withPolicies<T>(
  context: Context,
  work: (policies: OpenPolicies, where: Where) => Promise<T>,
  { writes }: { readonly writes: boolean },
): Promise<T> {
  if (!writes && !existsSync(registryPath(context.data))) return work(await offline(context, NOBODY), 'offline');
  return runningOrOffline(context.data, {
    running: () => work(running(context.data), 'running'),
    offline: async (directory) => work(await offline(context, directory), 'offline'),
  });
}

function running(data: string): OpenPolicies {
  const admin = openAdmin(data);
  return {
    read: async (version) => (await admin.policy(version)).policy,
    versions: async () => (await admin.policyVersions()).versions,
    check: async (source) => (await admin.checkPolicy(source)).report,
    apply: (policy) => admin.applyPolicy(policy),
    ask: (question) => admin.checkAccess(question),
    who: async (topic) => (await admin.accessHolders(topic)).holders,
  };
}

async function offline(context: Context, directory: PolicyDirectory): Promise<OpenPolicies> {
  const { createPolicies } = await import('./policies.ts');
  const { openStoredPolicies } = await import('./stored-policy.ts');
  const { loadConfig } = await import('../config/config.ts');
  const { createAccessDesk } = await import('./access-desk.ts');
  const listeners = () => {
    try {
      return loadConfig(context.config).listeners;
    } catch {
      // Whoever starts on it is told what is wrong with it.
      return undefined;
    }
  };
  const policies = createPolicies({
    history: openStoredPolicies(context.data),
    directory,
    listeners,
    use: async () => ({ subscriptions: 0, connections: 0 }),
    told: () => {},
  });
  const desk = createAccessDesk({ policy: () => policies.policy, directory, listeners });
  return {
    read: async (version) => {
      const { text, ...row } = policies.read(version);
      return { ...versionOf(row), text };
    },
    versions: async () => policies.list().map(versionOf),
    check: async (source) => reportOf(await policies.check(source)),
    apply: async (policy) => {
      const { policy: row, report, lost } = await policies.apply(policy);
      return { policy: versionOf(row), report: reportOf(report), lost };
    },
    ask: async (question) => {
      const { roles, considered, ...answer } = desk.check(question);
      return { ...answer, roles: [...roles], considered: [...considered] };
    },
    who: async (topic) => [...desk.who(topic)],
  };
}

function versionOf({ version, appliedAtMs, by, why, file }: PolicyRow): PolicyVersion {
  return { version, applied: version === 0 ? null : new Date(appliedAtMs).toISOString(), by, why, file };
}

function reportOf({ findings, passed, failed, changes }: AppliedPolicy['report']): PolicyReport {
  return {
    findings: [...findings],
    passed,
    failed: [...failed],
    changes: changes.map(({ where, removed, added }) => ({ where, removed: [...removed], added: [...added] })),
    replay: null,
  };
}

type PolicyDirectory = Pick<IdentityDirectory, 'find' | 'list'>;

const NOBODY: PolicyDirectory = { find: () => undefined, list: () => [] };
