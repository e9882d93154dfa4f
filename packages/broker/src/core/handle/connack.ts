// CONNACK (3.2) with success: the client has its session, is told what holds for the connection, and is read on.

import { type Connect, encode, PeerError, type Properties } from '@motte/wire';
import type { Proven } from '../../ports/guards.ts';
import type { CertificateId } from '../../ports/trust.ts';
import type { Client } from '../client.ts';
import { slowByDebt } from '../quotas.ts';
import type { Session } from '../session.ts';
import { rejoinSession } from '../sessions.ts';
import { IncomingAliases, OutgoingAliases } from '../topic-aliases.ts';
import { keepWill } from '../wills.ts';

/** The proven client takes its session; `connect` is the packet that asked for it. */
export function acceptConnect(client: Client, connect: Connect, session: Session, proven: Proven): void {
  const { core } = client;
  const { limits } = core;
  const { properties } = connect;
  session.client = client;
  session.account.connections += 1;
  client.session = session;
  session.certificate = certificateOf(client);
  client.proofEndsAtMs = proven.expiresAtMs;
  client.packetBytesMax = properties.maximumPacketSize ?? client.packetBytesMax;
  client.window = Math.min(properties.receiveMaximum ?? limits.inFlightMax, limits.inFlightMax);
  client.keepAliveSeconds = keepAliveOf(client, connect);
  if (client.version === 5) {
    client.incomingAliases = new IncomingAliases(limits.topicAliasMax);
    const aliasMax = Math.min(properties.topicAliasMaximum ?? 0, limits.topicAliasMax);
    if (aliasMax > 0) client.outgoingAliases = new OutgoingAliases(aliasMax);
  }
  rejoinSession(core, session);
  if (session.stored) {
    session.readableTicket = core.store.stage({ kind: 'session', session: session.record() }, true);
  }
  if (client.will !== undefined) keepWill(core, session, client.will);
  const { sessionPresent } = client;
  const connack = {
    type: 'connack' as const,
    sessionPresent,
    reasonCode: 0,
    properties: connackProperties(client, connect, session, proven),
  };
  const packet = encode(connack, client.version);
  if (packet.length > client.packetBytesMax) {
    throw new PeerError('packet-too-large', 'MQTT-3.1.2-24', 'the client takes no packet as large as the CONNACK');
  }
  client.link.write(packet);
  client.state = 'open';
  client.connect = undefined;
  core.counters.clientsConnected += 1;
  if (core.emit.wanted('info')) {
    const { version, keepAliveSeconds } = client;
    const { cleanStart } = connect;
    core.emit('client.connected', {
      ...core.reports.who(client),
      version,
      cleanStart,
      sessionPresent,
      keepAlive: keepAliveSeconds,
    });
  }
  if (session.behind) core.behind.add(session);
  slowByDebt(client, session);
  core.drain(session);
  client.link.resume();
}

/** What has to be good for the session to be found again while its client is away. */
function certificateOf({ core, facts, identity }: Client): CertificateId | undefined {
  const proof = core.guards.certificateOf?.(facts);
  if (proof === undefined || proof.realm !== identity?.realm) return undefined;
  return { issuer: proof.issuer, serial: proof.serial };
}

function connackProperties(client: Client, connect: Connect, session: Session, proven: Proven): Properties<'connack'> {
  if (client.version !== 5) return {};
  const { limits } = client.core;
  const asked = connect.properties.sessionExpiryInterval ?? 0;
  return {
    receiveMaximum: limits.receiveMaximum,
    maximumPacketSize: limits.packetBytesMax,
    topicAliasMaximum: limits.topicAliasMax,
    ...(session.expirySeconds === asked ? {} : { sessionExpiryInterval: session.expirySeconds }),
    ...(connect.clientId === '' ? { assignedClientIdentifier: client.clientId } : {}),
    ...(client.keepAliveSeconds === connect.keepAlive ? {} : { serverKeepAlive: client.keepAliveSeconds }),
    ...(client.method === undefined ? {} : { authenticationMethod: client.method }),
    ...(proven.data === undefined ? {} : { authenticationData: proven.data }),
  };
}

/** An MQTT 5.0 client can be told a shorter keep-alive [MQTT-3.1.2-21]; an older one keeps its own. */
function keepAliveOf(client: Client, connect: Connect): number {
  const max = client.core.limits.keepAliveSecondsMax;
  if (client.version !== 5 || max === NO_KEEP_ALIVE_LIMIT) return connect.keepAlive;
  return connect.keepAlive === 0 || connect.keepAlive > max ? max : connect.keepAlive;
}

const NO_KEEP_ALIVE_LIMIT = 0xffff;
