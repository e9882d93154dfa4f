// One copy of a message onto its client's link, and the end of one that is no longer owed: packet identifiers, outgoing
// aliases (3.3.2.3.4), Maximum Packet Size (3.1.2.11.4). Who gets a copy and when is decided in delivery.ts and drain.ts.

import type { QoS } from '@motte/wire';
import type { Ticket } from '../ports/store.ts';
import type { Client } from './client.ts';
import type { Core } from './core.ts';
import type { AliasMode } from './frame.ts';
import { packetIdOf } from './in-flight.ts';
import type { Passage } from './passage.ts';
import type { Session } from './session.ts';
import type { SharedCopy } from './shared-copies.ts';

const NO_IDS: readonly number[] = [];

/** Sends a copy of which the store knows nothing, under the next packet identifier. */
export function sendUnstored(
  core: Core,
  session: Session,
  client: Client,
  passage: Passage,
  qos: 1 | 2,
  retain: boolean,
  ids: readonly number[],
  shared: SharedCopy | undefined,
): void {
  session.seq = session.sent.nextSeq(session.seq);
  const packetId = packetIdOf(session.seq);
  const state = qos === 1 ? 'puback' : 'pubrec';
  if (shared === undefined) session.sent.await(packetId, state);
  else session.sent.awaitEntry(packetId, { state, seq: 0, ticket: 0, bytes: 0, shared });
  transmit(core, client, passage, qos, retain, false, ids, packetId);
}

/** Puts a copy onto the link, by alias where the client knows one. */
export function transmit(
  core: Core,
  client: Client,
  passage: Passage,
  qos: QoS,
  retain: boolean,
  dup: boolean,
  ids: readonly number[],
  packetId: number,
): void {
  let aliasMode: AliasMode = 0;
  let alias = 0;
  const aliases = client.outgoingAliases;
  if (aliases !== undefined) {
    alias = aliases.known(passage.topic);
    aliasMode = alias === 0 ? 0 : 2;
  }
  let template = passage.template(client.version, qos, retain, dup, aliasMode, ids.length === 0 ? NO_IDS : ids);
  if (template.bytes.length > client.packetBytesMax) {
    // [MQTT-3.1.2-25]: it is not sent, and the server acts as if it had been [MQTT-3.1.2-24].
    core.reports.dropped(client.session, passage.topic, qos, 'it is larger than the Maximum Packet Size of the client');
    if (qos > 0 && client.session !== undefined) forget(core, client.session, packetId);
    return;
  }
  if (aliases !== undefined && alias === 0 && aliases.hasFree) {
    const naming = passage.template(client.version, qos, retain, dup, 1, ids);
    if (naming.bytes.length <= client.packetBytesMax) {
      alias = aliases.give(passage.topic);
      template = naming;
    }
  }
  core.counters.messagesDelivered += 1;
  client.link.send(template, packetId, alias);
}

function forget(core: Core, session: Session, packetId: number): void {
  const entry = session.sent.get(packetId);
  if (entry === undefined) return;
  session.sent.remove(packetId);
  settle(core, session, entry);
}

/** A stored copy is no longer owed: acknowledged, expired or given up. */
export function settle(
  core: Core,
  session: Session,
  entry: { readonly seq: number; readonly ticket: Ticket; readonly bytes: number },
): void {
  if (entry.seq === 0) return;
  core.owed.add(session, -1, -entry.bytes);
  if (entry.ticket !== 0 && core.store.strike(entry.ticket)) return;
  core.store.stage({ kind: 'dequeue', key: session.key, seq: entry.seq }, false);
}
