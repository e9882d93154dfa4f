// One frame to the one file that handles its packet (2.1.2). The state of the connection decides first: nothing before
// CONNECT [MQTT-3.1.0-1], no second one [MQTT-3.1.0-2], no packet that only a server sends.

import { decodeFrom, PACKET_TYPES, PeerError } from '@motte/wire';
import type { Client } from './client.ts';
import { receiveAuth } from './handle/auth.ts';
import { receiveConnect } from './handle/connect.ts';
import { receiveDisconnect } from './handle/disconnect.ts';
import { receivePingreq } from './handle/pingreq.ts';
import { receivePuback } from './handle/puback.ts';
import { receivePubcomp } from './handle/pubcomp.ts';
import { receivePublish } from './handle/publish.ts';
import { receivePubrec } from './handle/pubrec.ts';
import { receivePubrel } from './handle/pubrel.ts';
import { receiveSubscribe } from './handle/subscribe.ts';
import { receiveUnsubscribe } from './handle/unsubscribe.ts';

/** Handles one complete frame; throws PeerError for whatever is wrong with it. */
export function receiveFrame(client: Client, buffer: Uint8Array, start: number, bodyStart: number, end: number): void {
  if (client.fault !== undefined) throw client.fault;
  const type = (buffer[start] as number) >> 4;
  client.core.counters.packetsReceived += 1;
  if (client.state !== 'open') {
    receiveEarly(client, type, buffer, start, bodyStart, end);
    return;
  }
  switch (type) {
    case PACKET_TYPES.publish:
      receivePublish(client, buffer, start, bodyStart, end);
      return;
    case PACKET_TYPES.puback:
      receivePuback(client, buffer, start, bodyStart, end);
      return;
    case PACKET_TYPES.pubrec:
      receivePubrec(client, buffer, start, bodyStart, end);
      return;
    case PACKET_TYPES.pubrel:
      receivePubrel(client, buffer, start, bodyStart, end);
      return;
    case PACKET_TYPES.pubcomp:
      receivePubcomp(client, buffer, start, bodyStart, end);
      return;
    default:
      receiveRare(client, buffer, start, bodyStart, end);
  }
}

function receiveRare(client: Client, buffer: Uint8Array, start: number, bodyStart: number, end: number): void {
  const packet = decodeFrom(buffer, start, bodyStart, end, client.version);
  switch (packet.type) {
    case 'pingreq':
      receivePingreq(client);
      return;
    case 'subscribe':
      receiveSubscribe(client, packet);
      return;
    case 'unsubscribe':
      receiveUnsubscribe(client, packet);
      return;
    case 'disconnect':
      receiveDisconnect(client, packet);
      return;
    case 'auth':
      receiveAuth(client, packet);
      return;
    case 'connect':
      throw new PeerError('protocol-error', 'MQTT-3.1.0-2', 'a second CONNECT on one connection');
    default:
      throw new PeerError('protocol-error', '2.1.2', `a client does not send ${packet.type.toUpperCase()}`);
  }
}

function receiveEarly(
  client: Client,
  type: number,
  buffer: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
): void {
  if (client.state === 'connecting') {
    if (type !== PACKET_TYPES.connect) {
      throw new PeerError('protocol-error', 'MQTT-3.1.0-1', 'the first packet is not a CONNECT');
    }
    receiveConnect(client, buffer, start, bodyStart, end);
    return;
  }
  const packet = decodeFrom(buffer, start, bodyStart, end, client.version);
  if (packet.type === 'auth') receiveAuth(client, packet);
  else if (packet.type === 'disconnect') receiveDisconnect(client, packet);
  else throw new PeerError('protocol-error', 'MQTT-3.1.2-30', `${packet.type.toUpperCase()} before the CONNACK`);
}
