// The policies that were applied, the last of them in force: one JSON file, `<data>/store/policy.json`, replaced as a whole and
// durable before `append` answers. What a policy means is others' part; here it is text.

import { readFileSync } from 'node:fs';
import type { StoredPolicy } from '../ports/policies.ts';
import { replaceFile } from './replace-file.ts';

export interface PolicyHistory {
  /** Oldest first; those that were too many are gone. */
  readonly policies: readonly StoredPolicy[];
  append(policy: Omit<StoredPolicy, 'version'>): Promise<StoredPolicy>;
}

/** A file that is not what Motte wrote; nothing is changed. */
export class PolicyHistoryFault extends Error {
  override readonly name = 'PolicyHistoryFault';
}

/** Opens the history, empty if there is no file yet. Throws PolicyHistoryFault. */
export function openPolicyHistory(path: string): PolicyHistory {
  let policies = load(path);
  return {
    get policies() {
      return policies;
    },
    async append(policy) {
      const stored = Object.freeze({ ...policy, version: (policies.at(-1)?.version ?? 0) + 1 });
      const next = recent([...policies, stored]);
      await replaceFile(path, `${JSON.stringify({ format: FORMAT, policies: next })}\n`);
      policies = next;
      return stored;
    },
  };
}

/** The policies in a history's text; `path` is for messages. Throws PolicyHistoryFault. */
export function parsePolicyHistory(text: string, path: string): readonly StoredPolicy[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new PolicyHistoryFault(`${path}: not a JSON document`, { cause });
  }
  const { format, policies } = (document ?? {}) as { format?: unknown; policies?: unknown };
  if (format !== FORMAT)
    throw new PolicyHistoryFault(`${path}: format ${String(format)}, this version reads ${FORMAT}`);
  if (!Array.isArray(policies) || policies.length === 0) throw new PolicyHistoryFault(`${path}: no list of policies`);
  let version = 0;
  for (const policy of policies) {
    if (!isStored(policy) || policy.version <= version) {
      throw new PolicyHistoryFault(`${path}: the policy after version ${version} is not complete`);
    }
    version = policy.version;
  }
  return policies;
}

function load(path: string): readonly StoredPolicy[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new PolicyHistoryFault(`${path}: ${(fault as Error).message}`, { cause: fault });
  }
  return parsePolicyHistory(text, path);
}

/** As many of the latest as are kept; always the last one. */
function recent(policies: readonly StoredPolicy[]): readonly StoredPolicy[] {
  let from = policies.length - 1;
  let characters = policies[from]?.text.length ?? 0;
  while (from > 0 && policies.length - from < VERSIONS_MAX) {
    characters += policies[from - 1]?.text.length ?? 0;
    if (characters > CHARACTERS_MAX) break;
    from -= 1;
  }
  return policies.slice(from);
}

function isStored(value: unknown): value is StoredPolicy {
  const { version, appliedAtMs, ...texts } = (value ?? {}) as Record<string, unknown>;
  if (!Number.isSafeInteger(version) || typeof appliedAtMs !== 'number') return false;
  return ['by', 'why', 'file', 'text'].every((name) => typeof texts[name] === 'string');
}

const FORMAT = 1;
const VERSIONS_MAX = 100;
/** Of the texts of all that are kept. */
const CHARACTERS_MAX = 8 * 1024 * 1024;
