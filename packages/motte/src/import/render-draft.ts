// policy.yaml of an import: the roles that Motte has from its first start, so that devices can be enrolled beside what is
// there, and what was imported.

import { MotteError } from '@motte/admin/errors';
import { builtInPolicy } from '@motte/broker/policy';
import { stringify } from 'yaml';
import { PolicyRefused, parsePolicy } from '../policy/document.ts';
import type { DraftPolicy } from './draft-policy.ts';

/** A file that `motte policy check` takes. Throws MOT-1004 if it is more than a policy holds. */
export function renderDraft({ roles, groups }: DraftPolicy, source: string, tests: readonly string[]): string {
  const builtIn = [...builtInPolicy().roles.values()].map(({ name, listenerOnly, rules }) => ({
    name,
    listenerOnly,
    rules: rules.map(({ text }) => text),
  }));
  const document = {
    roles: Object.fromEntries(
      [...builtIn, ...[...roles.values()].map((role) => ({ ...role, rules: [...role.rules] }))]
        .filter(({ listenerOnly, rules }) => !listenerOnly || rules.length > 0)
        .map(({ name, listenerOnly, rules }) => [name, listenerOnly ? { listenerOnly, rules } : rules]),
    ),
    ...(groups.size === 0 ? {} : { groups: Object.fromEntries(groups) }),
    tests,
  };
  const heading = `# From ${source}, by \`motte import mosquitto\`.\n`;
  const text = heading + stringify(document, { lineWidth: 0 });
  try {
    parsePolicy(text, 'policy.yaml');
  } catch (fault) {
    if (!(fault instanceof PolicyRefused)) throw fault;
    throw new MotteError('MOT-1004', `the policy: ${fault.lines[0] ?? fault.why}`, { cause: fault });
  }
  return text;
}
