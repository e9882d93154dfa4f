// Side by side with the npm package mqtt-packet, a parser that takes much on trust. Every difference has its reason here; one that
// has none fails, and so does a reason that explains nothing.

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, encode, type Packet } from './index.ts';
import { generateByMqttPacket, readByMqttPacket, rough } from './testing/mqtt-packet.ts';
import { versionedPackets } from './testing/packet-arbitraries.ts';
import { plain } from './testing/plain.ts';
import { loadVectors, type Vector } from './testing/vectors.ts';

/** We refuse by this rule, it accepts. */
const IT_ACCEPTS: Readonly<Record<string, string>> = {
  '1.5.1': 'it reads a byte that is not there as undefined, and gives out a CONNACK cut short',
  '1.5.2': 'it reads an integer that is not there as -1',
  '1.5.3': 'it lets a property reach beyond the property block',
  '1.5.4': 'it accepts control characters and non-characters, and strings that reach beyond the property block',
  '1.5.5': 'it takes properties that are cut short, or not there, for none',
  '1.5.6': 'it lets binary data reach beyond the property block, or gives null for it',
  '2.1.4': 'it ignores bytes behind the content of a packet',
  '2.2.2.2': 'it accepts any property on any packet, and makes a list of one that comes twice',
  '3.1.2.11.10': 'it does not look for the authentication method',
  '3.1.2.11.3': 'it accepts a receive maximum of 0',
  '3.1.2.11.4': 'it accepts a maximum packet size of 0',
  '3.1.2.11.6': 'it reads any other byte than 0 as true',
  '3.1.2.11.7': 'it reads any other byte than 0 as true',
  '3.15.2.2.2': 'it does not look for the authentication method',
  '3.2.2.3.11': 'it reads any other byte than 0 as true',
  '3.2.2.3.12': 'it reads any other byte than 0 as true',
  '3.2.2.3.13': 'it reads any other byte than 0 as true',
  '3.2.2.3.4': 'it accepts any maximum QoS',
  '3.2.2.3.5': 'it reads any other byte than 0 as true',
  '3.3.2.1': 'it leaves an empty topic to the application',
  '3.3.2.3.2': 'it reads any other byte than 0 as true',
  '3.8.2.1.2': 'it accepts a subscription identifier of 0',
  'MQTT-1.5.4-1': 'it puts U+FFFD in place of what is not UTF-8',
  'MQTT-1.5.4-2': 'it accepts U+0000',
  'MQTT-1.5.5-1': 'it accepts a variable byte integer that takes more bytes than it needs',
  'MQTT-2.2.1-3': 'it accepts the packet identifier 0',
  'MQTT-3.1.2-12': 'it accepts will QoS 3',
  'MQTT-3.1.2-2': 'it does not compare the level with the name, and takes bit 7 of the level for the mark of a bridge',
  'MQTT-3.1.2-22': 'it accepts a password without a user name in every version',
  'MQTT-3.1.3-8': 'it leaves an empty client identifier to the application',
  'MQTT-3.10.3-2': 'it accepts an UNSUBSCRIBE that names nothing',
  'MQTT-3.11.3-1': 'it accepts an UNSUBACK that answers nothing',
  'MQTT-3.2.2-6': 'it accepts a session on a refused connection',
  'MQTT-3.2.2-8': 'it accepts any code in CONNACK',
  'MQTT-3.3.1-2': 'it accepts the duplicate flag with QoS 0',
  'MQTT-3.3.2-14': 'it leaves wildcards in a response topic to the application',
  'MQTT-3.3.2-2': 'it leaves wildcards in a topic name to the application',
  'MQTT-3.3.2-8': 'it accepts topic alias 0',
  'MQTT-3.8.3-2': 'it accepts a SUBSCRIBE that asks for nothing',
  'MQTT-3.8.3-4': 'it accepts no local on a shared subscription',
  'MQTT-3.8.4-6': 'it accepts a SUBACK that answers nothing',
  'MQTT-4.7.3-1': 'it leaves an empty topic to the application',
};

/** We accept, it refuses. */
const IT_REFUSES: Readonly<Record<string, string>> = {
  'auth: success without anything': '3.15.2.1 allows it; it misses the reason code',
  'connack: MQTT 3.1 does not use the first byte': 'it applies the flags of 3.1.1 to MQTT 3.1',
  'connect: MQTT 3.1 may leave out the user name that a flag announces': 'it applies the rule of 3.1.1 to MQTT 3.1',
  'connect: MQTT 3.1 may leave out the password that a flag announces': 'it applies the rule of 3.1.1 to MQTT 3.1',
  'pubrel: sent again, as MQTT 3.1 marks it': 'it applies the flags of 3.1.1 to MQTT 3.1',
  'subscribe: sent again, as MQTT 3.1 marks it': 'it applies the flags of 3.1.1 to MQTT 3.1',
  'unsubscribe: sent again, as MQTT 3.1 marks it': 'it applies the flags of 3.1.1 to MQTT 3.1',
};

test('every difference on the vectors is explained, and every explanation is needed', () => {
  const unexplained: string[] = [];
  const used = new Set<string>();
  for (const vector of loadVectors()) {
    const theirs = readByMqttPacket(vector.bytes, vector.version);
    const ours = vector.packet === undefined ? 'refused' : rough(vector.packet);
    const bothWait = vector.incomplete && theirs === 'nothing';
    if (isDeepStrictEqual(theirs, ours) || bothWait) continue;
    const key = differenceOf(vector, theirs);
    if (key === undefined)
      unexplained.push(`${vector.file} ${vector.version} ${vector.name}: ${JSON.stringify(theirs)}`);
    else used.add(key);
  }
  expect(unexplained).toEqual([]);
  expect([...Object.keys(IT_ACCEPTS), ...Object.keys(IT_REFUSES)].filter((key) => !used.has(key))).toEqual([]);
});

function differenceOf(vector: Vector, theirs: unknown): string | undefined {
  if (vector.packet === undefined) {
    const rule = vector.rule ?? '';
    return theirs !== 'refused' && rule in IT_ACCEPTS ? rule : undefined;
  }
  const name = `${vector.file.replace('.json', '')}: ${vector.name}`;
  return theirs === 'refused' && name in IT_REFUSES ? name : undefined;
}

test('any packet that we encode, it reads the same', () => {
  fc.assert(
    fc.property(versionedPackets(), ({ version, packet }) => {
      const frame = encode(packet, version);
      fc.pre(!itMisreads(packet));
      expect(readByMqttPacket(frame, version)).toEqual(rough(packet));
    }),
    { numRuns: 1000 },
  );
});

test('any packet that it encodes, we read the same', () => {
  fc.assert(
    fc.property(versionedPackets(), ({ version, packet }) => {
      const frame = encode(packet, version);
      fc.pre(!itMisreads(packet) && !itCannotWrite(packet));
      const again = generateByMqttPacket(frame, version);
      expect(rough(plain(decode(again, version)))).toEqual(rough(packet));
    }),
    { numRuns: 1000 },
  );
});

/** AUTH without a body: see IT_REFUSES. DISCONNECT with 0x8C: 2.4 has it, the list in 3.14.2.1, which it follows, has not. */
function itMisreads(packet: Packet): boolean {
  if (packet.type === 'auth') return packet.reasonCode === 0 && Object.keys(packet.properties).length === 0;
  return packet.type === 'disconnect' && packet.reasonCode === 0x8c;
}

/** It applies two rules of 3.1.1 to MQTT 5.0: an empty identifier needs a clean start, a password a user name. */
function itCannotWrite(packet: Packet): boolean {
  if (packet.type !== 'connect') return false;
  return (
    (packet.clientId === '' && !packet.cleanStart) || (packet.password !== undefined && packet.userName === undefined)
  );
}
