// What changes from one policy to another. Order means nothing in a policy, so the order of rules is no difference.

import { identityLabel } from '../ports/identity.ts';
import type { Policy } from './policy.ts';
import { quotaLines } from './quotas.ts';

export interface Change {
  /** Such as `role operator`, `group line1`, `tests`. */
  readonly where: string;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Roles, groups, defaults and tests in which the two differ, each in the words of the file; empty = they say the same. */
export function diffPolicies(from: Policy, to: Policy): readonly Change[] {
  return [
    ...changesOf('role', rulesByRole(from), rulesByRole(to)),
    ...changesOf('group', linesByGroup(from), linesByGroup(to)),
    ...changesOf('defaults', defaultsOf(from), defaultsOf(to)),
    ...changesOf('', new Map([['tests', testsOf(from)]]), new Map([['tests', testsOf(to)]])),
  ];
}

type Lines = ReadonlyMap<string, readonly string[]>;

function changesOf(kind: string, from: Lines, to: Lines): Change[] {
  const changes: Change[] = [];
  for (const name of new Set([...from.keys(), ...to.keys()])) {
    const [before, after] = [new Set(from.get(name)), new Set(to.get(name))];
    const removed = [...before].filter((line) => !after.has(line));
    const added = [...after].filter((line) => !before.has(line));
    const isNew = !from.has(name);
    const isGone = !to.has(name);
    if (removed.length === 0 && added.length === 0 && !isNew && !isGone) continue;
    const what = `${kind} ${name}`.trim();
    changes.push({ where: isNew ? `${what} (new)` : isGone ? `${what} (gone)` : what, removed, added });
  }
  return changes;
}

function rulesByRole({ roles }: Policy): Lines {
  return new Map(
    [...roles.values()].map(({ name, rules, listenerOnly, quotas }) => [
      name,
      [...(listenerOnly ? ['listenerOnly'] : []), ...quotaLines(quotas), ...rules.map(({ text }) => text)],
    ]),
  );
}

function linesByGroup({ groups }: Policy): Lines {
  return new Map(
    [...groups.values()].map(({ name, roles, members }) => [
      name,
      [...roles.map((role) => `role ${role}`), ...members.map((member) => `member ${labelOf(member)}`)],
    ]),
  );
}

function defaultsOf({ defaults }: Policy): Lines {
  return new Map(Object.entries(defaults));
}

function testsOf({ tests }: Policy): readonly string[] {
  return tests.map(({ text }) => text);
}

function labelOf(key: string): string {
  const [realm = '', name = ''] = key.split('\n');
  return identityLabel({ realm, name });
}
