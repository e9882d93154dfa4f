// What a leaving member of a shared subscription had not acknowledged goes to another member (4.8.2): QoS 1, and QoS 2
// that was not sent yet. QoS 2 that was sent waits for its member to return [MQTT-4.8.2-4] or ends with it [MQTT-4.8.2-5].

import { shareOf, type TopicFilter } from '@motte/wire';
import { type Message, sizeOf } from '../ports/message.ts';
import type { Core } from './core.ts';
import { deliverToGroup } from './delivery.ts';
import { leftMs } from './expiry.ts';
import { Passage } from './passage.ts';
import type { Session } from './session.ts';
import type { SharedGroup } from './shared-group.ts';
import { settle } from './transmit.ts';

/** A copy that a session has only as a member of a group. */
export interface SharedCopy {
  /** The group's filter, `$share/NAME/FILTER`. */
  readonly filter: string;
  readonly message: Message;
}

/** Hands on the copies that a session which just lost its connection cannot take any more. */
export function requeueShared(core: Core, session: Session): void {
  for (const [packetId, entry] of session.sent) {
    if (entry.shared === undefined || entry.state !== 'puback') continue;
    if (session.stored && !someoneElse(core, session, entry.shared)) continue;
    session.sent.remove(packetId);
    // Before it is given up here: a crash between the two rather delivers it twice than not at all.
    handOn(core, entry.shared);
    settle(core, session, entry);
  }
  for (let waiting = session.queue.shift(); waiting !== undefined; waiting = session.queue.shift()) {
    core.owed.add(session, -1, -sizeOf(waiting.message));
    if (waiting.shared !== undefined) handOn(core, waiting.shared);
  }
}

/** What is known of a stored session that ends for good. */
export interface Leaving {
  readonly key: string;
  readonly sentSeq: number;
  readonly owedMessages: number;
  readonly filters: Iterable<TopicFilter>;
}

/** Hands on what waits in the queue of a stored session that ends for good; called before it does. */
export function handOnQueue(core: Core, { key, sentSeq, owedMessages, filters }: Leaving): void {
  if (owedMessages === 0 || !isMember(filters)) return;
  core.store.readOwed(key, (entries, fault) => {
    if (fault !== undefined) core.reports.storeFault(fault);
    for (const { seq, message, qos, share } of entries) {
      if (share === '' || message === undefined || (qos === 2 && seq <= sentSeq)) continue;
      handOn(core, { filter: share, message });
    }
  });
}

/** A queue is not read for nothing. */
function isMember(filters: Iterable<TopicFilter>): boolean {
  for (const filter of filters) if (shareOf(filter) !== undefined) return true;
  return false;
}

function handOn(core: Core, copy: SharedCopy): void {
  if (leftMs(copy.message, core) <= 0) {
    core.counters.messagesExpired += 1;
    return;
  }
  deliverToGroup(core, current(core, copy), Passage.ofMessage(copy.message, core), true);
}

/** A stored session keeps its copy for its own return unless a member is there to take it now, and stays. */
function someoneElse(core: Core, session: Session, copy: SharedCopy): boolean {
  if (core.stopping !== undefined) return false;
  const { groupChoice } = core;
  groupChoice.passage = Passage.ofMessage(copy.message, core);
  const members = current(core, copy)?.targets ?? [];
  return members.some(
    (target) => target.subscriber !== session && target.subscriber.online && groupChoice.canQueue(target),
  );
}

/** The group as it is now: members may have come and gone since the copy was made. */
function current(core: Core, { filter, message }: SharedCopy): SharedGroup<Session> | undefined {
  return core.router.route(message.topic).groups.find((group) => group.filter === filter);
}
