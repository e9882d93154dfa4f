// What a leaving member of a shared subscription had not acknowledged goes to another member (4.8.2): QoS 1, and QoS 2
// that was not sent yet. QoS 2 that was sent waits for its member to return [MQTT-4.8.2-4] or ends with it [MQTT-4.8.2-5].

import type { Message } from '../ports/message.ts';
import type { Core } from './core.ts';
import { deliverToGroup } from './delivery.ts';
import { Passage } from './passage.ts';
import type { Session } from './session.ts';
import type { SharedGroup } from './shared-group.ts';
import { settle } from './transmit.ts';

/** A copy that a session has only as a member of a group. */
export interface SharedCopy {
  readonly group: SharedGroup<Session>;
  readonly message: Message;
}

/** Hands on the copies that a session which just lost its connection cannot take any more. */
export function requeueShared(core: Core, session: Session): void {
  for (const [packetId, entry] of session.sent) {
    if (entry.shared === undefined || entry.state !== 'puback') continue;
    if (session.stored && !someoneElse(core, session, entry.shared)) continue;
    session.sent.remove(packetId);
    settle(core, session, entry);
    handOn(core, entry.shared);
  }
  for (let waiting = session.queue.shift(); waiting !== undefined; waiting = session.queue.shift()) {
    if (waiting.shared !== undefined) handOn(core, waiting.shared);
  }
}

function handOn(core: Core, { group, message }: SharedCopy): void {
  deliverToGroup(core, current(core, group, message), Passage.ofMessage(message, core.nowMs));
}

/** A stored session keeps its copy for its own return unless a member is there to take it now. */
function someoneElse(core: Core, session: Session, { group, message }: SharedCopy): boolean {
  const { groupChoice } = core;
  groupChoice.passage = Passage.ofMessage(message, core.nowMs);
  const members = current(core, group, message)?.targets ?? [];
  return members.some(
    (target) => target.subscriber !== session && target.subscriber.online && groupChoice.canQueue(target),
  );
}

/** The group as it is now: members may have come and gone since the copy was made. */
function current(core: Core, group: SharedGroup<Session>, message: Message): SharedGroup<Session> | undefined {
  return core.router.route(message.topic).groups.find((candidate) => candidate.isSameAs(group));
}
