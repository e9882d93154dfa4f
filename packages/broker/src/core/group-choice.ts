// Which members of a shared group can have a message (4.8.2): the predicates that `SharedGroup.choose` is given, from the
// best case to the last resort. Bound once and told of the message by a field, so that offering one allocates nothing.

import type { Core } from './core.ts';
import type { Passage } from './passage.ts';
import type { Session } from './session.ts';
import type { Target } from './target.ts';

export class GroupChoice {
  /** The message that is offered. */
  passage: Passage | undefined = undefined;
  private readonly core: Core;

  constructor(core: Core) {
    this.core = core;
  }

  /** It can leave now. */
  readonly canTake = (target: Target<Session>): boolean => {
    const session = target.subscriber;
    const { client } = session;
    if (client === undefined || client.link.congested || !this.mayHave(target)) return false;
    if (this.isQoS0(target)) return client.takesQoS0;
    return client.hasQuota && !session.behind && session.queue.size === 0 && this.hasRoom(session);
  };

  /** It can wait: in a queue with room, which a QoS 0 copy has nowhere. */
  readonly canQueue = (target: Target<Session>): boolean => {
    const session = target.subscriber;
    if (this.isQoS0(target) || !(session.online || session.stored)) return false;
    return this.hasRoom(session) && this.mayHave(target);
  };

  /** It is lost on this member, which says so: all queues are full. */
  readonly canLose = (target: Target<Session>): boolean => {
    const session = target.subscriber;
    return (session.online || (session.stored && !this.isQoS0(target))) && this.mayHave(target);
  };

  private isQoS0(target: Target<Session>): boolean {
    return target.qos === 0 || this.passage?.qos === 0;
  }

  private hasRoom(session: Session): boolean {
    return this.core.owed.fullness(session) === undefined;
  }

  private mayHave(target: Target<Session>): boolean {
    const { core, passage } = this;
    if (target.verdict !== 'ask' || passage === undefined) return true;
    const { topic, qos, retain } = passage;
    return core.access.receiveMessage(core.rightsOf(target.subscriber), topic, qos, retain, passage);
  }
}
