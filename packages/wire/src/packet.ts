// All packets: the union, and the one place that turns a frame into a packet and back (2.1, 3).

import { Cursor } from './cursor.ts';
import { checkFirstByte, checkFlags, firstByteOf, PACKET_TYPES } from './fixed-header.ts';
import { type Auth, decodeAuth, encodeAuth } from './packets/auth.ts';
import { type Connack, decodeConnack, encodeConnack } from './packets/connack.ts';
import { type Connect, decodeConnect, encodeConnect } from './packets/connect.ts';
import { type Disconnect, decodeDisconnect, encodeDisconnect } from './packets/disconnect.ts';
import { decodePingreq, type Pingreq } from './packets/pingreq.ts';
import { decodePingresp, type Pingresp } from './packets/pingresp.ts';
import { decodePuback, encodePuback, type Puback } from './packets/puback.ts';
import { decodePubcomp, encodePubcomp, type Pubcomp } from './packets/pubcomp.ts';
import { decodePublish, encodePublish, type Publish } from './packets/publish.ts';
import { decodePubrec, encodePubrec, type Pubrec } from './packets/pubrec.ts';
import { decodePubrel, encodePubrel, type Pubrel } from './packets/pubrel.ts';
import { decodeSuback, encodeSuback, type Suback } from './packets/suback.ts';
import { decodeSubscribe, encodeSubscribe, type Subscribe } from './packets/subscribe.ts';
import type { ProtocolVersion } from './packets/types.ts';
import { decodeUnsuback, encodeUnsuback, type Unsuback } from './packets/unsuback.ts';
import { decodeUnsubscribe, encodeUnsubscribe, type Unsubscribe } from './packets/unsubscribe.ts';
import { malformed, PeerError } from './peer-error.ts';
import { Writer } from './writer.ts';

export type Packet =
  | Connect
  | Connack
  | Publish
  | Puback
  | Pubrec
  | Pubrel
  | Pubcomp
  | Subscribe
  | Suback
  | Unsubscribe
  | Unsuback
  | Pingreq
  | Pingresp
  | Disconnect
  | Auth;

/**
 * One whole frame as a packet; binary parts are views of the frame. Throws PeerError and nothing else.
 * CONNECT carries its own version, `version` is for all others.
 */
export function decode(frame: Uint8Array, version: ProtocolVersion): Packet {
  const header = new Cursor(frame, 0, frame.length);
  checkFirstByte(header.byte());
  const length = header.varint();
  if (length !== header.left)
    throw malformed('2.1.4', `the Remaining Length is ${length}, ${header.left} bytes follow`);
  return decodeFrom(frame, 0, header.at, frame.length, version);
}

/** The same for a frame inside a bigger buffer: its first byte, its body after the fixed header, its end. */
export function decodeFrom(
  buffer: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
): Packet {
  const firstByte = buffer[start] as number;
  const type = firstByte >> 4;
  checkFlags(firstByte, type === PACKET_TYPES.connect ? 5 : version);
  const input = new Cursor(buffer, bodyStart, end);
  switch (type) {
    case PACKET_TYPES.connect:
      return decodeConnect(input);
    case PACKET_TYPES.connack:
      return decodeConnack(input, version);
    case PACKET_TYPES.publish:
      return decodePublish(input, firstByte, version);
    case PACKET_TYPES.puback:
      return decodePuback(input, version);
    case PACKET_TYPES.pubrec:
      return decodePubrec(input, version);
    case PACKET_TYPES.pubrel:
      return decodePubrel(input, version);
    case PACKET_TYPES.pubcomp:
      return decodePubcomp(input, version);
    case PACKET_TYPES.subscribe:
      return decodeSubscribe(input, version);
    case PACKET_TYPES.suback:
      return decodeSuback(input, version);
    case PACKET_TYPES.unsubscribe:
      return decodeUnsubscribe(input, version);
    case PACKET_TYPES.unsuback:
      return decodeUnsuback(input, version);
    case PACKET_TYPES.pingreq:
      return decodePingreq(input);
    case PACKET_TYPES.pingresp:
      return decodePingresp(input);
    case PACKET_TYPES.disconnect:
      return decodeDisconnect(input, version);
    default:
      return decodeAuth(input);
  }
}

/** A packet as bytes of its own. Throws RangeError for one that the standard does not allow: that is our own bug. */
export function encode(packet: Packet, version: ProtocolVersion): Uint8Array {
  writer.reset();
  try {
    const firstByte = writeBody(packet, version, writer);
    checkFlags(firstByte, packet.type === 'connect' ? packet.version : version);
    return writer.packet(firstByte);
  } catch (error) {
    if (error instanceof PeerError)
      throw new RangeError(`cannot encode ${packet.type}: ${error.message}`, { cause: error });
    throw error;
  }
}

function writeBody(packet: Packet, version: ProtocolVersion, output: Writer): number {
  switch (packet.type) {
    case 'connect':
      encodeConnect(packet, output);
      break;
    case 'connack':
      encodeConnack(packet, version, output);
      break;
    case 'publish':
      return encodePublish(packet, version, output);
    case 'puback':
      encodePuback(packet, version, output);
      break;
    case 'pubrec':
      encodePubrec(packet, version, output);
      break;
    case 'pubrel':
      encodePubrel(packet, version, output);
      break;
    case 'pubcomp':
      encodePubcomp(packet, version, output);
      break;
    case 'subscribe':
      encodeSubscribe(packet, version, output);
      break;
    case 'suback':
      encodeSuback(packet, version, output);
      break;
    case 'unsubscribe':
      encodeUnsubscribe(packet, version, output);
      break;
    case 'unsuback':
      encodeUnsuback(packet, version, output);
      break;
    case 'disconnect':
      encodeDisconnect(packet, version, output);
      break;
    case 'auth':
      encodeAuth(packet, output);
      break;
    case 'pingreq':
    case 'pingresp':
      break;
    default:
      throw new RangeError(`there is no packet type ${(packet satisfies never as Packet).type}`);
  }
  return firstByteOf(packet.type);
}

const writer = new Writer();
