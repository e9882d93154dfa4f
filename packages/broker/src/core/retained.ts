// Retained messages (3.3.1.3, 3.8.3.1): whether there is room for one more, keeping and forgetting them, and who is owed
// them after a SUBSCRIBE. Handing them over is retained-handover.ts.

import { shareOf, type TopicName } from '@motte/wire';
import type { Message } from '../ports/message.ts';
import type { Quotas } from '../ports/quotas.ts';
import type { StoredSubscription, Ticket } from '../ports/store.ts';
import type { Verdict } from '../ports/verdict.ts';
import { ALLOW } from '../ports/verdict.ts';
import type { Core } from './core.ts';
import type { Session } from './session.ts';

/** Whether one more message of an identity may be retained. */
export function mayRetain(core: Core, topic: TopicName, bytes: number, owner: string, quotas: Quotas): Verdict {
  return bytes === 0 ? ALLOW : core.retainedLimits.check(topic, bytes, owner, quotas);
}

/** Keeps the message for later subscribers, or forgets the topic's if it is empty [MQTT-3.3.1-5], [MQTT-3.3.1-6]. */
export function retainMessage(core: Core, message: Message): Ticket {
  const urgent = message.qos > 0;
  core.retainedNews.note(message.topic);
  for (const watch of core.retainedWatches) watch.retained(message);
  if (message.payload.length === 0) return core.store.stage({ kind: 'unretain', topic: message.topic }, urgent);
  return core.store.stage({ kind: 'retain', message }, urgent);
}

/** The same for what cannot be refused any more, QoS 2 and wills: without room it is delivered and not kept. */
export function retainIfRoom(core: Core, session: Session, message: Message): Ticket {
  const { quotas } = core.rightsOf(session);
  const room = mayRetain(core, message.topic, message.payload.length, message.owner, quotas);
  if (room.allow) return retainMessage(core, message);
  core.reports.dropped(session, message.topic, message.qos, `it cannot be retained: ${room.because}`);
  return 0;
}

/** Whether a granted subscription is owed retained messages [MQTT-3.3.1-9] to [MQTT-3.3.1-11]. */
export function wantsRetained(subscription: StoredSubscription, isNew: boolean): boolean {
  if (shareOf(subscription.filter) !== undefined) return false;
  return subscription.retainHandling === 0 || (subscription.retainHandling === 1 && isNew);
}
