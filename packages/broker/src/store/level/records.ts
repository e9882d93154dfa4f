// The content of each kind of record, written and read side by side. Changing one raises RECORD_FORMAT.

import type { QoS, TopicFilter, TopicName } from '@motte/wire';
import { type Message, sizeOf } from '../../ports/message.ts';
import type { QueuedMessage, StoredSession, StoredSubscription, StoredWill } from '../../ports/store.ts';
import { ByteReader, ByteWriter, textOf } from './bytes.ts';
import { DamagedRecord } from './seal.ts';

const writer = new ByteWriter();

/** What stands at the end of a session's record, each where it is due: a kind with roles, or a certificate. */
const DEVICE = 0;
const USER = 1;
const CERTIFICATE = 2;

export function encodeSession(session: StoredSession): Uint8Array {
  const { key, realm, name, clientId, generation, expirySeconds, endedAtMs, sentSeq, unsureSeq, listener, address } =
    session;
  writer.text(key).text(realm).text(name).text(clientId);
  writer.number(generation).number(expirySeconds).number(endedAtMs).number(sentSeq).number(unsureSeq);
  writer.text(listener).text(address);
  if (session.roles !== undefined) {
    writer.byte(session.kind === 'user' ? USER : DEVICE).number(session.roles.length);
    for (const role of session.roles) writer.text(role);
  }
  if (session.certificate !== undefined) {
    const { issuer, serial } = session.certificate;
    writer.byte(CERTIFICATE).text(issuer).text(serial);
  }
  return writer.take();
}

export function decodeSession(content: Uint8Array): StoredSession {
  const reader = new ByteReader(content);
  const session = {
    key: reader.text(),
    realm: reader.text(),
    name: reader.text(),
    clientId: reader.text(),
    generation: reader.number(),
    expirySeconds: reader.number(),
    endedAtMs: reader.number(),
    sentSeq: reader.number(),
    unsureSeq: reader.number(),
    listener: reader.text(),
    address: reader.text(),
  };
  if (reader.isAtEnd) return session;
  let tag = reader.byte();
  let known: Pick<StoredSession, 'roles' | 'kind'> = {};
  if (tag !== CERTIFICATE) {
    const roles: string[] = [];
    for (let left = reader.number(); left > 0; left--) roles.push(reader.text());
    known = { roles, kind: tag === USER ? 'user' : 'device' };
    if (reader.isAtEnd) return { ...session, ...known };
    tag = reader.byte();
  }
  if (tag !== CERTIFICATE) throw new DamagedRecord('there is something in it that is not known');
  const certificate = { issuer: reader.text(), serial: reader.text() };
  reader.end();
  return { ...session, ...known, certificate };
}

export function encodeSubscription(subscription: StoredSubscription): Uint8Array {
  const { filter, qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier } = subscription;
  const options = qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4);
  return writer.text(filter).byte(options).number(subscriptionIdentifier).take();
}

export function decodeSubscription(content: Uint8Array): StoredSubscription {
  const reader = new ByteReader(content);
  const filter = reader.text() as TopicFilter;
  const options = reader.byte();
  const subscriptionIdentifier = reader.number();
  reader.end();
  return {
    filter,
    qos: (options & 3) as QoS,
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: ((options >> 4) & 3) as 0 | 1 | 2,
    subscriptionIdentifier,
  };
}

/** QoS 2 received: the message that PUBREL will route; undefined = it was refused. */
export function encodeReceived(message: Message | undefined): Uint8Array {
  writer.byte(message === undefined ? 0 : 1);
  if (message !== undefined) writeMessage(message, true);
  return writer.take();
}

export function decodeReceived(content: Uint8Array): Message | undefined {
  const reader = new ByteReader(content);
  const message = reader.byte() === 0 ? undefined : readMessage(reader);
  reader.end();
  return message;
}

export function encodeWill({ message, delaySeconds, expirySeconds }: StoredWill): Uint8Array {
  writer.number(delaySeconds).number(expirySeconds + 1);
  writeMessage(message, true);
  return writer.take();
}

export function decodeWill(content: Uint8Array): StoredWill {
  const reader = new ByteReader(content);
  const delaySeconds = reader.number();
  const expirySeconds = reader.number() - 1;
  const message = readMessage(reader);
  reader.end();
  return { message, delaySeconds, expirySeconds };
}

/** A message that stands for itself: retained, or shared by several queues. */
export function encodeMessage(message: Message, withOrigin: boolean): Uint8Array {
  writeMessage(message, withOrigin);
  return writer.take();
}

export function decodeMessage(content: Uint8Array): Message {
  const reader = new ByteReader(content);
  const message = readMessage(reader);
  reader.end();
  return message;
}

/** A copy in a queue: with its message, with the number of a body that several copies share, or released and with neither. */
export function encodeQueued(entry: QueuedMessage, body: number): Uint8Array {
  const { qos, retain, subscriptionIds, share, message, queuedAtMs } = entry;
  const place = message === undefined ? RELEASED : body === 0 ? 0 : ELSEWHERE;
  const shared = share === '' ? 0 : SHARED;
  const identified = subscriptionIds.length === 0 ? 0 : IDENTIFIED;
  writer.byte(qos | (retain ? RETAIN : 0) | place | shared | identified).number(queuedAtMs);
  if (shared !== 0) writer.text(share);
  if (identified !== 0) {
    writer.number(subscriptionIds.length);
    for (const id of subscriptionIds) writer.number(id);
  }
  if (message !== undefined) {
    if (body === 0) writeMessage(message, false);
    else writer.number(body).number(sizeOf(message));
  }
  return writer.take();
}

/** A copy in a queue as its own record tells it. */
export interface QueuedHead {
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly share: string;
  readonly subscriptionIds: readonly number[];
  readonly queuedAtMs: number;
  /** Where its message stands; 0 = here, or nowhere any more. */
  readonly body: number;
  /** Bytes it counts for in the queue. */
  readonly bytes: number;
  readonly message: Message | undefined;
}

export function decodeQueued(content: Uint8Array): QueuedHead {
  const reader = new ByteReader(content);
  const flags = reader.byte();
  const queuedAtMs = reader.number();
  const share = (flags & SHARED) === 0 ? '' : reader.text();
  const subscriptionIds: number[] = [];
  if ((flags & IDENTIFIED) !== 0)
    for (let left = reader.number(); left > 0; left--) subscriptionIds.push(reader.number());
  let body = 0;
  let bytes = 0;
  let message: Message | undefined;
  if ((flags & ELSEWHERE) !== 0) {
    body = reader.number();
    bytes = reader.number();
  } else if ((flags & RELEASED) === 0) {
    message = readMessage(reader);
    bytes = sizeOf(message);
  }
  reader.end();
  const [qos, retain] = [(flags & 3) as 1 | 2, (flags & RETAIN) !== 0];
  return { qos, retain, share, subscriptionIds, queuedAtMs, body, bytes, message };
}

/** Who published it is left out where nobody asks any more: in queues. */
function writeMessage(message: Message, withOrigin: boolean): void {
  const { topicBytes, payload, qos, retain, properties, expiresAtMs, given, publisher, owner } = message;
  const expires = (expiresAtMs === 0 ? 0 : EXPIRES) | (given === undefined ? 0 : GIVEN);
  const flags = qos | (retain ? RETAIN : 0) | (withOrigin ? ORIGIN : 0) | expires;
  writer.byte(flags).bytes(topicBytes).bytes(properties).bytes(payload);
  if (expiresAtMs !== 0) writer.number(expiresAtMs);
  if (given !== undefined) writer.number(given.run).number(given.atMs).number(given.seconds);
  if (withOrigin) writer.text(publisher).text(owner);
}

function readMessage(reader: ByteReader): Message {
  const flags = reader.byte();
  const topicBytes = reader.bytes();
  const properties = reader.bytes();
  const payload = reader.bytes();
  const expiresAtMs = (flags & EXPIRES) === 0 ? 0 : reader.number();
  // Records from before it was kept have none.
  const given =
    (flags & GIVEN) === 0 ? undefined : { run: reader.number(), atMs: reader.number(), seconds: reader.number() };
  const withOrigin = (flags & ORIGIN) !== 0;
  return {
    topic: textOf(topicBytes) as TopicName,
    topicBytes,
    payload,
    qos: (flags & 3) as QoS,
    retain: (flags & RETAIN) !== 0,
    properties,
    expiresAtMs,
    given,
    publisher: withOrigin ? reader.text() : '',
    owner: withOrigin ? reader.text() : '',
  };
}

/** Flags of messages and of copies, above two bits of QoS. */
const RETAIN = 4;
const ORIGIN = 8;
const EXPIRES = 16;
const GIVEN = 32;
const RELEASED = 8;
const SHARED = 16;
const IDENTIFIED = 32;
const ELSEWHERE = 64;
