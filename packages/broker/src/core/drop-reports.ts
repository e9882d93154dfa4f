// Reports of messages that were given up for a session: one by one up to a number per session and tick, and what is beyond
// as one. A publisher faster than a full queue would otherwise write a line of log with every message.

import type { TopicName } from '@motte/wire';
import type { Emit } from '../events.ts';
import { identityKey } from '../ports/identity.ts';
import type { Session } from './session.ts';

/** Reported one by one between two ticks. */
const REPORTED_MAX = 100;

interface Drops {
  count: number;
  /** The last one, which stands for those that were not reported. */
  topic: TopicName;
  qos: number;
}

export class DropReports {
  private readonly emit: Emit;
  /** Since the last tick; bounded by the sessions. */
  private readonly bySession = new Map<Session, Drops>();

  constructor(emit: Emit) {
    this.emit = emit;
  }

  add(session: Session, topic: TopicName, qos: number, why: string): void {
    let drops = this.bySession.get(session);
    if (drops === undefined) this.bySession.set(session, (drops = { count: 0, topic, qos }));
    drops.count += 1;
    drops.topic = topic;
    drops.qos = qos;
    if (drops.count <= REPORTED_MAX) this.report(session, topic, qos, why);
  }

  /** Called at every tick. */
  flush(): void {
    for (const [session, { count, topic, qos }] of this.bySession) {
      const more = count - REPORTED_MAX;
      if (more > 0) this.report(session, topic, qos, `${more} more at once, this one the last`);
    }
    this.bySession.clear();
  }

  private report(session: Session, topic: TopicName, qos: number, why: string): void {
    if (!this.emit.wanted('warn')) return;
    const { identity, clientId } = session;
    this.emit('session.dropped-message', { identity: identityKey(identity), clientId, topic, why, qos });
  }
}
