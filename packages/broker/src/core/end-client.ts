// The one way in which a connection ends (4.13, 3.14): what the peer is told, what becomes of will and session.

import { connackReturnCode, encode, mayCarry, PeerError, type Reason, reasonCode } from '@motte/wire';
import { Fault } from '../ports/fault.ts';
import type { Client } from './client.ts';
import type { RefusalFacts } from './reports.ts';
import { leaveSession } from './sessions.ts';

export interface Ending {
  readonly reason: Reason;
  /** True if the peer closed or sent DISCONNECT: nothing is sent to it. */
  readonly byPeer: boolean;
  /** False only after a DISCONNECT with reason 0x00 [MQTT-3.14.4-3]. */
  readonly will: boolean;
  /** Told to an MQTT 5 client that asked for problem information. */
  readonly reasonString?: string;
}

export function endClient(client: Client, ending: Ending): void {
  if (client.state === 'closed') return;
  const { core, link, session } = client;
  const wasOpen = client.state === 'open';
  const who = core.reports.who(client);
  client.refusals?.flush();
  if (!ending.byPeer && wasOpen && client.version === 5 && mayCarry('disconnect', ending.reason)) {
    const reasonString = client.problemInformation ? ending.reasonString : undefined;
    const properties = reasonString === undefined ? {} : { reasonString };
    const packet = encode({ type: 'disconnect', reasonCode: reasonCode(ending.reason), properties }, 5);
    if (packet.length <= client.packetBytesMax) link.write(packet);
  }
  client.state = 'closed';
  core.clients.delete(client);
  core.waiting.delete(client);
  core.counters.connectionsClosed += 1;
  link.close();
  if (session !== undefined && session.client === client) leaveSession(client, session, ending.will);
  if (wasOpen) {
    core.counters.clientsConnected -= 1;
    core.emit('client.disconnected', { ...who, reason: ending.reason, byPeer: ending.byPeer });
  }
}

/** Refuses a CONNECT: CONNACK with the code of the client's version, then the end [MQTT-3.1.4-2], [MQTT-3.2.2-7]. */
export function refuseConnect(
  client: Client,
  reason: Reason,
  returnCode3: number | undefined,
  reasonString?: string,
): string {
  let seen = 'the connection closed';
  if (client.version === 5 && mayCarry('connack', reason)) {
    const properties = reasonString === undefined || !client.problemInformation ? {} : { reasonString };
    const packet = encode({ type: 'connack', sessionPresent: false, reasonCode: reasonCode(reason), properties }, 5);
    if (packet.length <= client.packetBytesMax) {
      client.link.write(packet);
      seen = `CONNACK 0x${reasonCode(reason).toString(16)}`;
    }
  } else if (client.version !== 5 && returnCode3 !== undefined) {
    client.link.write(
      encode({ type: 'connack', sessionPresent: false, reasonCode: returnCode3, properties: {} }, client.version),
    );
    seen = `CONNACK ${returnCode3}`;
  }
  endClient(client, { reason, byPeer: false, will: false });
  return seen;
}

/** Ends a connection for whatever was thrown while it was served; called by the connection's one catch. */
export function failClient(client: Client, thrown: unknown, packet: string): void {
  const { core } = client;
  if (client.state === 'closed') return;
  const told = client.state === 'open' && client.version === 5;
  // What it did before is said before what ended it.
  client.refusals?.flush();
  if (thrown instanceof PeerError) {
    if (client.state === 'proving' || client.state === 'opening') {
      const answered = refuseConnect(client, thrown.reason, connackReturnCode(thrown.reason));
      core.reports.refused(client, refusalOf(thrown, packet, answered));
      return;
    }
    const seen =
      told && mayCarry('disconnect', thrown.reason)
        ? `DISCONNECT 0x${reasonCode(thrown.reason).toString(16)}`
        : 'the connection closed';
    core.reports.refused(client, refusalOf(thrown, packet, seen));
    endClient(client, { reason: thrown.reason, byPeer: false, will: true });
    return;
  }
  if (thrown instanceof Fault) {
    failByFault(client, thrown, packet, told);
    return;
  }
  if (client.fault === undefined) {
    core.counters.assertions += 1;
    const why = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    core.emit('broker.assertion', { ...core.reports.who(client), why });
  }
  endClient(client, { reason: 'unspecified-error', byPeer: false, will: true });
}

/** The peer learns nothing of what failed; the operator finds it where everything else stands that was refused. */
function failByFault(client: Client, { message }: Fault, packet: string, told: boolean): void {
  const refusal = { layer: 'broker', because: message, rule: 'store', packet } as const;
  if (client.state === 'opening') {
    const reason = 'server-unavailable';
    const seen = refuseConnect(client, reason, connackReturnCode(reason));
    client.core.reports.refused(client, { ...refusal, reason, seen });
    return;
  }
  const reason = 'unspecified-error';
  const seen = told ? `DISCONNECT 0x${reasonCode(reason).toString(16)}` : 'the connection closed';
  client.core.reports.refused(client, { ...refusal, reason, seen });
  endClient(client, { reason, byPeer: false, will: true });
}

/** The facts of a protocol error, for the report. */
function refusalOf({ reason, message, rule }: PeerError, packet: string, seen: string): RefusalFacts {
  return { layer: 'protocol', reason, because: message, rule, packet, seen };
}
