// SUBSCRIBE (3.8) and its SUBACK (3.9): each filter is parsed, authorised and granted on its own [MQTT-3.8.4-6].

import {
  encode,
  PeerError,
  parseTopicFilter,
  type Reason,
  reasonCode,
  type Subscribe,
  type SubscriptionRequest,
  shareOf,
  type TopicFilter,
} from '@motte/wire';
import type { StoredSubscription, Ticket } from '../../ports/store.ts';
import { type Layer, type Refusal, refuse } from '../../ports/verdict.ts';
import type { Client } from '../client.ts';
import { checkCount, checkLevels } from '../quotas.ts';
import { wantsRetained } from '../retained.ts';
import { RetainedHandover } from '../retained-handover.ts';
import type { Session } from '../session.ts';

/** The one failure code of MQTT 3.1.1 (3.9.3). */
const FAILURE3 = 0x80;

export function receiveSubscribe(client: Client, packet: Subscribe): void {
  const { core, session } = client;
  if (session === undefined) return;
  const subscriptionIdentifier = packet.properties.subscriptionIdentifier?.[0] ?? 0;
  const reasonCodes: number[] = [];
  let ticket: Ticket = 0;
  for (const request of packet.subscriptions) {
    const filter = parseRequested(client, request);
    const refusal = typeof filter === 'string' ? checkSubscribe(client, session, filter) : filter;
    if (typeof filter !== 'string' || refusal !== undefined) {
      reasonCodes.push(refuseFilter(client, request.filter, refusal as LayeredRefusal));
      continue;
    }
    const { qos, noLocal, retainAsPublished, retainHandling } = request;
    const subscription: StoredSubscription = {
      filter,
      qos,
      noLocal,
      retainAsPublished,
      retainHandling,
      subscriptionIdentifier,
    };
    const isNew = core.router.subscribe(session, subscription) === 'new';
    if (session.stored) ticket = core.store.stage({ kind: 'subscribe', key: session.key, subscription }, true);
    if (wantsRetained(subscription, isNew)) {
      session.handover ??= new RetainedHandover(core, session);
      session.handover.add(subscription);
    }
    reasonCodes.push(qos);
    if (core.emit.wanted('debug')) core.emit('client.subscribed', { ...core.reports.who(client), filter, qos });
  }
  client.answer(
    encode({ type: 'suback', packetId: packet.packetId, reasonCodes, properties: {} }, client.version),
    ticket,
  );
  session.handover?.goOn();
}

interface LayeredRefusal extends Refusal {
  readonly layer: Layer;
}

function parseRequested(client: Client, request: SubscriptionRequest): TopicFilter | LayeredRefusal {
  if (request.noLocal && request.filter.startsWith('$share/')) {
    throw new PeerError('protocol-error', 'MQTT-3.8.3-4', 'No Local on a shared subscription');
  }
  try {
    return parseTopicFilter(request.filter);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    // MQTT 3.1.1 has no code for it and asks to close [MQTT-4.7.1-1]; MQTT 5.0 answers 0x8F for this filter alone.
    if (client.version !== 5) throw error;
    return { ...refuse('topic-filter-invalid', error.message, error.rule), layer: 'protocol' };
  }
}

function checkSubscribe(client: Client, session: Session, filter: TopicFilter): LayeredRefusal | undefined {
  const { core } = client;
  if (core.router.isTooDeep(filter)) {
    const because = `the filter has more than ${core.limits.topicLevelsMax} levels`;
    return { ...refuse('topic-filter-invalid', because, 'limits.topicLevelsMax'), layer: 'broker' };
  }
  if (session.stored && core.store.failing !== undefined) {
    return {
      ...refuse('quota-exceeded', `nothing can be stored now: ${core.store.failing}`, 'store'),
      layer: 'broker',
    };
  }
  // Of a shared one, what stands behind its share: that is what topics are matched against.
  const plain = (shareOf(filter)?.filter ?? filter) as TopicFilter;
  const verdict = core.access.subscribe(core.rightsOf(session), plain);
  if (!verdict.allow) return { ...verdict, layer: 'access' };
  const { quotas } = core.rightsOf(session);
  const levels = checkLevels(quotas, plain, 'the filter');
  if (!levels.allow) return { ...levels, layer: 'access' };
  if (core.router.has(session, filter)) return undefined;
  const count = checkCount(quotas, 'subscriptions', core.router.countOf(session));
  if (!count.allow) return { ...count, layer: 'access' };
  if (core.router.countOf(session) >= core.limits.subscriptionsPerSessionMax) {
    const because = `the session has ${core.limits.subscriptionsPerSessionMax} subscriptions already`;
    return { ...refuse('quota-exceeded', because, 'limits.subscriptionsPerSessionMax'), layer: 'broker' };
  }
  if (core.router.full) {
    return {
      ...refuse('quota-exceeded', 'the broker takes no more subscriptions', 'limits.subscriptionsMax'),
      layer: 'broker',
    };
  }
  return undefined;
}

function refuseFilter(client: Client, filter: string, refusal: LayeredRefusal): number {
  const code = client.version === 5 ? reasonCode(refusal.reason as Reason) : FAILURE3;
  const { layer, reason, because, rule } = refusal;
  const seen = `SUBACK 0x${code.toString(16)}`;
  client.core.reports.refusedOften(client, { layer, reason, because, rule, packet: 'subscribe', topic: filter, seen });
  return code;
}
