// A policy as plain lines, to go from one thread to another, and the policy made of them again: its rules are read anew, some at a
// time, since objects would take longer to pass and would have to be taken in one turn of the event loop.

import {
  type Group,
  type Policy,
  parsePolicyTest,
  parseRule,
  policyOf,
  type Role,
  type RoleDefaults,
  type RoleQuotas,
  roleOfRules,
  statedQuotas,
} from '@motte/broker/policy';

interface Line {
  readonly text: string;
  readonly place: string | undefined;
}

interface RoleOutline {
  readonly name: string;
  readonly listenerOnly: boolean;
  readonly quotas: RoleQuotas;
  readonly texts: readonly string[];
  readonly places: readonly (string | undefined)[];
}

export interface PolicyOutline {
  readonly roles: readonly RoleOutline[];
  readonly groups: readonly Group[];
  readonly defaults: RoleDefaults;
  readonly tests: { readonly texts: readonly string[]; readonly places: readonly string[] };
}

export function outlineOf({ roles, groups, defaults, tests }: Policy): PolicyOutline {
  return {
    roles: [...roles.values()].map(({ name, listenerOnly, quotas, rules }) => ({
      name,
      listenerOnly,
      quotas: statedQuotas(quotas),
      ...linesOf(rules),
    })),
    groups: [...groups.values()],
    defaults,
    tests: { texts: tests.map(({ text }) => text), places: tests.map(({ place }) => place) },
  };
}

/** `pause` is awaited between parts of the work. */
export async function policyOfOutline(outline: PolicyOutline, pause: () => Promise<void>): Promise<Policy> {
  let left = LINES_PER_PART;
  const read = async <T>(count: number, one: (i: number) => T): Promise<T[]> => {
    const made: T[] = [];
    for (let i = 0; i < count; i++) {
      if (left === 0) {
        await pause();
        left = LINES_PER_PART;
      }
      left -= 1;
      made.push(one(i));
    }
    return made;
  };
  const roles: Role[] = [];
  for (const { name, listenerOnly, quotas, texts, places } of outline.roles) {
    const rules = await read(texts.length, (i) => parseRule(texts[i] as string, places[i]));
    roles.push(roleOfRules(name, rules, listenerOnly, quotas));
  }
  const { texts, places } = outline.tests;
  const tests = await read(texts.length, (i) => parsePolicyTest(texts[i] as string, places[i] as string));
  await pause();
  return policyOf(roles, { groups: outline.groups, defaults: outline.defaults, tests });
}

function linesOf(lines: readonly Line[]): Pick<RoleOutline, 'texts' | 'places'> {
  return { texts: lines.map(({ text }) => text), places: lines.map(({ place }) => place) };
}

/** Some milliseconds. */
const LINES_PER_PART = 500;
