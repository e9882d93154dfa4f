// Everything a peer can send that ends its connection, each with what has to be said of it: every vector that must be refused,
// packets that only a server sends, packets out of state, packets too large, packets that are begun and not finished.

import { encode, type Packet, type ProtocolVersion, type Reason } from '@motte/wire';
import { loadVectors } from '../../packages/wire/src/testing/vectors.ts';
import { bytesOf, connectHeader, frame, joined, text, uint16 } from '../harness/index.ts';

export interface Offence {
  readonly title: string;
  readonly version: ProtocolVersion;
  /** What is sent; a CONNECT that is taken comes before it unless `early`. */
  readonly bytes: Uint8Array;
  readonly early: boolean;
  /** Refused by a deadline and not by its bytes. */
  readonly slow: boolean;
  readonly reason: Reason;
  /** The statement it breaks; undefined where any will do. */
  readonly rule: string | undefined;
}

const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];

/** Largest packet that the broker of these offences takes, in bytes. */
export const PACKET_BYTES_MAX = 70_000;

export function offences(): Offence[] {
  return [
    ...ofVectors(),
    ...VERSIONS.flatMap((version) => [...outOfState(version), ...beyondLimits(version)]),
    ...ofFive(),
  ];
}

/** The CONNECT that comes before an offence. */
export function connectOf(clientId: string, version: ProtocolVersion): Uint8Array {
  const fields = { clientId, version, cleanStart: true, keepAlive: 0, properties: {} };
  return encode({ type: 'connect', ...fields }, version);
}

/** Vectors are for a reader of either side and for version `version`; CONNECT says its version itself. */
function* ofVectors(): Iterable<Offence> {
  for (const { file, name, version, bytes, packet, refused, rule, incomplete } of loadVectors()) {
    if (packet !== undefined || bytes.length > PACKET_BYTES_MAX) continue;
    const early = (bytes[0] ?? 0) >> 4 === 1;
    const title = `${file} ${name}`;
    if (!incomplete) yield { title, version, bytes, early, slow: false, reason: refused as Reason, rule };
    else if (bytes.length > 0) yield { ...unfinished(title, version, bytes), early };
  }
}

function outOfState(version: ProtocolVersion): Offence[] {
  const fromServer: readonly Packet[] = [
    { type: 'connack', sessionPresent: false, reasonCode: 0, properties: {} },
    { type: 'suback', packetId: 1, reasonCodes: [0], properties: {} },
    { type: 'unsuback', packetId: 1, reasonCodes: version === 5 ? [0] : [], properties: {} },
    { type: 'pingresp' },
  ];
  const first = (title: string, bytes: Uint8Array): Offence => ({
    ...offence(`${title} before CONNECT`, version, bytes, 'protocol-error', 'MQTT-3.1.0-1'),
    early: true,
  });
  return [
    ...fromServer.map((packet) =>
      offence(`${packet.type} from a client`, version, encode(packet, version), 'protocol-error', '2.1.2'),
    ),
    offence('a second CONNECT', version, connectOf('again', version), 'protocol-error', 'MQTT-3.1.0-2'),
    first('PINGREQ', bytesOf('c0 00')),
    first('HTTP', bytesOf('47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31')),
    first('PUBLISH', frame(0x30, text('a'), version === 5 ? 0 : '', 'aa')),
  ];
}

function beyondLimits(version: ProtocolVersion): Offence[] {
  return [
    offence('a packet too large', version, bytesOf('30 ff ff 7f 00'), 'packet-too-large', undefined),
    unfinished('half a PUBLISH', version, bytesOf('30 20 00 01 61')),
    unfinished('half a length', version, bytesOf('30 80')),
    { ...unfinished('half a CONNECT', version, connectOf('half', version).subarray(0, 9)), early: true },
  ];
}

function ofFive(): Offence[] {
  const of = (title: string, bytes: Uint8Array, reason: Reason, rule?: string): Offence =>
    offence(title, 5, bytes, reason, rule);
  const publish = (...properties: (string | number)[]): Uint8Array =>
    frame(0x30, text(''), joined([properties.length, ...properties]), 'aa');
  const unreleased = joined(
    Array.from({ length: RECEIVE_MAXIMUM + 1 }, (_, n) => frame(0x34, text('a'), uint16(n + 1), 0, 'aa')),
  );
  return [
    of('a topic alias never given', publish(0x23, 0, 2), 'protocol-error'),
    of('topic alias 0', publish(0x23, 0, 0), 'topic-alias-invalid'),
    of('a topic alias above the maximum', publish(0x23, 0xff, 0xff), 'topic-alias-invalid'),
    of('no topic and no alias', publish(), 'protocol-error'),
    of('more than Receive Maximum', unreleased, 'receive-maximum-exceeded', 'MQTT-3.3.4-7'),
    of('AUTH without a method', bytesOf('f0 00'), 'protocol-error'),
    {
      ...of(
        'an unknown protocol level',
        frame(0x10, text('MQTT'), 6, 2, uint16(0), 0, text('c')),
        'unsupported-protocol-version',
      ),
      early: true,
    },
    {
      ...of('reserved flags of CONNECT', frame(0x10, connectHeader(3), text('c')), 'malformed-packet', 'MQTT-3.1.2-3'),
      early: true,
    },
  ];
}

/** Receive Maximum of the broker of these offences. */
export const RECEIVE_MAXIMUM = 5;

function offence(
  title: string,
  version: ProtocolVersion,
  bytes: Uint8Array,
  reason: Reason,
  rule: string | undefined,
): Offence {
  return { title, version, bytes, early: false, slow: false, reason, rule };
}

function unfinished(title: string, version: ProtocolVersion, bytes: Uint8Array): Offence {
  return { ...offence(title, version, bytes, 'protocol-error', undefined), slow: true };
}
