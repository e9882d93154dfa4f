// Retained messages (3.3.1.3, 3.8.3.1): kept in the store by topic, handed over after a SUBSCRIBE page by page, so that
// neither a million of them nor a client that does not read holds anybody up.

import { shareOf, type TopicName } from '@motte/wire';
import type { Message } from '../ports/message.ts';
import type { Cursor, StoredSubscription, Ticket } from '../ports/store.ts';
import type { Verdict } from '../ports/verdict.ts';
import { ALLOW, refuse } from '../ports/verdict.ts';
import type { Client } from './client.ts';
import type { Core } from './core.ts';
import { mayReceive, owe, sendQoS0 } from './delivery.ts';
import { Passage } from './passage.ts';
import type { Session } from './session.ts';

/** Retained messages asked of the store at a time. */
const PAGE = 64;

/** Whether one more message may be retained. */
export function mayRetain(core: Core, topic: TopicName, payloadBytes: number): Verdict {
  const { retainedMessagesMax, retainedBytesMax } = core.limits;
  if (payloadBytes === 0) return ALLOW;
  if (core.store.retainedCount >= retainedMessagesMax && !core.store.isRetained(topic)) {
    return refuse(
      'quota-exceeded',
      `${retainedMessagesMax} messages are retained already`,
      'limits.retainedMessagesMax',
    );
  }
  if (core.store.retainedBytes + payloadBytes > retainedBytesMax) {
    return refuse(
      'quota-exceeded',
      `retained messages take ${retainedBytesMax} bytes already`,
      'limits.retainedBytesMax',
    );
  }
  return ALLOW;
}

/** Keeps the message for later subscribers, or forgets the topic's if it is empty [MQTT-3.3.1-5], [MQTT-3.3.1-6]. */
export function retainMessage(core: Core, message: Message): Ticket {
  const urgent = message.qos > 0;
  if (message.payload.length === 0) return core.store.stage({ kind: 'unretain', topic: message.topic }, urgent);
  return core.store.stage({ kind: 'retain', message }, urgent);
}

/** The same for QoS 2, which was acknowledged before it is kept: without room it is delivered and not kept. */
export function retainIfRoom(core: Core, session: Session, message: Message): Ticket {
  const room = mayRetain(core, message.topic, message.payload.length);
  if (room.allow) return retainMessage(core, message);
  core.dropped(session, message.topic, message.qos, `it cannot be retained: ${room.because}`);
  return 0;
}

/** Whether a granted subscription is owed retained messages [MQTT-3.3.1-9] to [MQTT-3.3.1-11]. */
export function wantsRetained(subscription: StoredSubscription, isNew: boolean): boolean {
  if (shareOf(subscription.filter) !== undefined) return false;
  return subscription.retainHandling === 0 || (subscription.retainHandling === 1 && isNew);
}

/** One subscription's retained messages on their way; ends with the connection it began on. */
export class RetainedScan {
  private readonly core: Core;
  private readonly session: Session;
  private readonly client: Client;
  private readonly subscription: StoredSubscription;
  private cursor: Cursor = undefined;
  private reading = false;

  constructor(core: Core, session: Session, client: Client, subscription: StoredSubscription) {
    this.core = core;
    this.session = session;
    this.client = client;
    this.subscription = subscription;
  }

  /** Reads the next page, if the client has taken what it was sent so far. */
  goOn(): void {
    const { client, session } = this;
    if (this.reading || session.client !== client) return;
    if (client.link.congested || session.queue.size > 0 || session.behind) return;
    this.reading = true;
    this.core.store.matchRetained(this.subscription.filter, this.cursor, PAGE, (messages, next, fault) => {
      this.reading = false;
      if (session.client !== client) return;
      client.link.run(() => {
        if (fault !== undefined) throw this.core.storeFault(fault);
        for (const message of messages) this.hand(message);
        this.cursor = next;
        if (next === undefined) session.scans.splice(session.scans.indexOf(this), 1);
        else this.goOn();
      });
    });
  }

  private hand(message: Message): void {
    const { core, session, subscription } = this;
    if (message.expiresAtMs !== 0 && message.expiresAtMs <= core.nowMs) {
      core.counters.messagesExpired += 1;
      core.store.stage({ kind: 'unretain', topic: message.topic }, false);
      return;
    }
    if (subscription.noLocal && message.publisher === session.key) return;
    if (!mayReceive(core, session, message, true)) return;
    const passage = Passage.ofMessage(message, core.nowMs);
    const qos = subscription.qos < message.qos ? subscription.qos : message.qos;
    const ids = subscription.subscriptionIdentifier === 0 ? [] : [subscription.subscriptionIdentifier];
    if (qos === 0) sendQoS0(core, this.client, passage, true, ids);
    else owe(core, session, passage, qos, true, ids, undefined);
  }
}
