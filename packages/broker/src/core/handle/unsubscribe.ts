// UNSUBSCRIBE (3.10) and its UNSUBACK (3.11): filters are compared character by character [MQTT-3.10.4-1].

import { encode, reasonCode, type TopicFilter, type Unsubscribe } from '@motte/wire';
import type { Ticket } from '../../ports/store.ts';
import type { Client } from '../client.ts';

export function receiveUnsubscribe(client: Client, packet: Unsubscribe): void {
  const { core, session } = client;
  if (session === undefined) return;
  let ticket: Ticket = 0;
  const reasonCodes = packet.filters.map((text) => {
    // A filter that equals one of the session's was parsed when it was granted.
    const filter = text as TopicFilter;
    if (!core.router.unsubscribe(session, filter)) return reasonCode('no-subscription-existed');
    session.handover?.remove(filter);
    if (session.stored) ticket = core.store.stage({ kind: 'unsubscribe', key: session.key, filter }, true);
    if (core.emit.wanted('debug')) core.emit('client.unsubscribed', { ...core.reports.who(client), filter });
    return reasonCode('success');
  });
  client.answer(
    encode({ type: 'unsuback', packetId: packet.packetId, reasonCodes, properties: {} }, client.version),
    ticket,
  );
}
