// Access for tests that are not about the policy: a list of rules in the words of the policy, or everything
// allowed; with the quotas of one role.

import { filterCovers, type TopicFilter, topicMatches } from '@motte/wire';
import { completeQuotas, type RoleQuotas } from '../../packages/broker/src/access/quotas.ts';
import type { Access, Rights } from '../../packages/broker/src/ports/access.ts';
import { NO_QUOTAS } from '../../packages/broker/src/ports/quotas.ts';
import { ALLOW, refuse, type Verdict } from '../../packages/broker/src/ports/verdict.ts';

interface Rule {
  readonly allow: boolean;
  readonly action: string;
  readonly filter: TopicFilter;
  readonly text: string;
}

/** Access whose rules a test may replace while the broker runs. */
export interface TestAccess extends Access {
  replace(rules: readonly string[]): void;
  /** From now on everybody has one role, `test`, with these quotas. */
  bound(quotas: RoleQuotas): void;
}

/** `allow|deny publish|subscribe|receive|all FILTER`; a matching deny wins, then a matching allow, else no. */
export function accessOf(texts: readonly string[]): TestAccess {
  let rules = texts.map(ruleOf);
  let quotas = NO_QUOTAS;
  let generation = 1;
  const decide = (action: string, matches: (rule: Rule) => boolean): Verdict => {
    const hits = rules.filter((rule) => (rule.action === 'all' || rule.action === action) && matches(rule));
    const denied = hits.find((rule) => !rule.allow);
    if (denied) return refuse('not-authorized', 'a rule of the test denies it', denied.text);
    return hits.length > 0 ? ALLOW : refuse('not-authorized', 'no rule of the test allows it', 'default');
  };
  const received = (topic: string): boolean => {
    const hits = rules.filter((rule) => rule.action !== 'publish' && topicMatches(rule.filter, topic as never));
    return !hits.some((rule) => !rule.allow) && hits.some((rule) => rule.allow);
  };
  return {
    get generation() {
      return generation;
    },
    replace(next) {
      rules = next.map(ruleOf);
      generation++;
    },
    bound(next) {
      quotas = completeQuotas('test', next);
      generation++;
    },
    rightsOf: (subject): Rights => ({ generation, identity: subject.identity, quotas }),
    publish: (_rights, topic) => decide('publish', (rule) => topicMatches(rule.filter, topic)),
    subscribe: (_rights, filter) => decide('subscribe', (rule) => filterCovers(rule.filter, filter)),
    receive: (_rights, topic) => (received(topic) ? 'always' : 'never'),
    receiveMessage: (_rights, topic) => received(topic),
  };
}

/** Everything, `$` topics included. */
export const ALLOW_ALL: readonly string[] = ['allow all #', 'allow all $SYS/#', 'allow all $other/#'];

function ruleOf(text: string): Rule {
  const [effect = '', action = '', filter = ''] = text.split(' ');
  if (!/^(allow|deny)$/.test(effect) || !/^(publish|subscribe|receive|all)$/.test(action) || filter === '') {
    throw new Error(`not a rule: ${text}`);
  }
  return { allow: effect === 'allow', action, filter: filter as TopicFilter, text };
}
