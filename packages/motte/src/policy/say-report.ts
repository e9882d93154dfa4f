// What was found in a policy, for people: findings, failed tests and changes, one line each.

import type { PolicyReport } from '@motte/admin';

export function reportLines({ findings, passed, failed }: PolicyReport): string[] {
  const lines = findings.map(({ id, place, why }) => `${place === '' ? '' : `${place}: `}${id}: ${why}`);
  for (const { place, test, because } of failed) lines.push(`${place}: failed: ${test}: ${because}`);
  const tests = passed + failed.length;
  if (tests === 0) lines.push('it has no tests');
  else
    lines.push(
      failed.length === 0 ? `${counted(tests, 'test')} passed` : `${failed.length} of ${counted(tests, 'test')} failed`,
    );
  return lines;
}

/** Empty = the two say the same. */
export function changeLines({ changes }: Pick<PolicyReport, 'changes'>): string[] {
  return changes.flatMap(({ where, removed, added }) => [
    where,
    ...removed.map((line) => `  - ${line}`),
    ...added.map((line) => `  + ${line}`),
  ]);
}

/** What it means for those who are here; nothing where no broker runs. */
export function replayLines({ replay }: Pick<PolicyReport, 'replay'>): string[] {
  if (replay === null) return [];
  const { clients, skipped, changes, more } = replay;
  const looked = `${counted(clients, 'session')} looked at${skipped === 0 ? '' : `, ${skipped} not`}`;
  const lines = changes.map(({ identity, clientId, action, target, from, to, because }) => {
    const who = clientId === identity ? identity : `${identity} (${clientId})`;
    return `  ${who}: ${action} ${target}: ${from} -> ${to}${because === '' ? '' : ` (${because})`}`;
  });
  if (changes.length === 0) return [`nothing changes for who is here: ${looked}`];
  return [`what changes for who is here (${looked}):`, ...lines, ...(more === 0 ? [] : [`  and ${more} more`])];
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
