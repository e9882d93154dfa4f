// What another policy would mean for those who are here: their subscriptions and the topics that they published to lately, as their
// rights remember them, judged under both. Bounded in how much it looks at, and it says what it left out.

import { shareOf, type TopicFilter, type TopicName } from '@motte/wire';
import type { Subject } from '../ports/access.ts';
import { identityLabel } from '../ports/identity.ts';
import type { PolicyReplay, ReplayedChange } from '../ports/policies.ts';
import { compileRules } from './compile.ts';
import { type Decision, decide } from './decide.ts';
import { explain } from './explain.ts';
import type { Policy } from './policy.ts';
import type { Action } from './rule.ts';

/** A session as a replay needs it. */
export interface Replayed {
  readonly subject: Subject;
  readonly filters: Iterable<TopicFilter>;
  /** Topics that it may have published to, and was asked about. */
  readonly topics: Iterable<TopicName>;
}

export interface ReplayParts {
  /** The policy in force. */
  readonly from: Policy;
  readonly to: Policy;
  /** Connected clients should come first. */
  readonly sessions: Iterable<Replayed>;
  /** False = it took long enough. Asked before each decision, like the next: what one costs is the policy's choice. */
  readonly hasTime: () => boolean;
  /** Where others wait for their turn by now, what to wait for. */
  readonly pause: () => Promise<void> | undefined;
}

/** Between two parts of it sessions come, go and subscribe: each is judged as it is when its turn comes. */
export async function replayPolicy({ from, to, sessions, hasTime, pause }: ReplayParts): Promise<PolicyReplay> {
  const changes: ReplayedChange[] = [];
  let [clients, decisions, more, skipped] = [0, 0, 0, 0];
  let isOver = false;
  for (const { subject, filters, topics } of sessions) {
    const resting = pause();
    if (resting !== undefined) await resting;
    if (isOver || decisions >= DECISIONS_MAX || !hasTime()) {
      isOver = true;
      skipped += 1;
      continue;
    }
    const [before, after] = [compileRules(from, subject), compileRules(to, subject)];
    const asked: [Action, string][] = [];
    for (const filter of filters) asked.push(['subscribe', shareOf(filter)?.filter ?? filter]);
    for (const topic of topics) asked.push(['publish', topic]);
    for (const [action, target] of asked) {
      const resting = pause();
      if (resting !== undefined) await resting;
      if (!hasTime()) {
        isOver = true;
        break;
      }
      decisions += 1;
      const [old, next] = [decide(before, action, target, undefined), decide(after, action, target, undefined)];
      if (old.outcome === next.outcome) continue;
      more += 1;
      if (changes.length >= CHANGES_MAX) continue;
      const verdict = next.outcome === 'deny' ? explain(after, next, action, target, undefined) : undefined;
      changes.push({
        identity: identityLabel(subject.identity),
        clientId: subject.clientId,
        action: action as ReplayedChange['action'],
        target,
        from: WORDS[old.outcome],
        to: WORDS[next.outcome],
        because: verdict?.because ?? '',
      });
    }
    // One that was looked at in part counts among those that were not.
    if (isOver) skipped += 1;
    else clients += 1;
  }
  return { clients, skipped, decisions, changes, more: more - changes.length };
}

const WORDS: Readonly<Record<Decision['outcome'], ReplayedChange['from']>> = {
  allow: 'allowed',
  deny: 'denied',
  ask: 'some messages',
};

/** Some tenth of a second with rules as most policies have them. */
const DECISIONS_MAX = 20_000;
const CHANGES_MAX = 100;
