// Where each record stands in the database. The first byte says what it is; numbers are big-endian, so that order of keys is
// order of sessions and of their queues. A session has a number of its own, never given twice: what a session that
// ended left behind belongs to nobody and is swept later.

/** First byte of a key. */
export const KEY = {
  meta: 0x4d, // M name
  session: 0x53, // S session
  subscription: 0x46, // F session filter
  received: 0x49, // I session packet identifier
  will: 0x57, // W session
  queue: 0x51, // Q session seq
  body: 0x42, // B body: a message that several queues refer to
  retained: 0x52, // R topic, with U+0000 in place of `/`
  owner: 0x4f, // O identity: what is retained of it
  quarantined: 0x58, // X time key: a damaged record
} as const;

export function metaKey(name: string): Uint8Array {
  const key = new Uint8Array(1 + name.length);
  key[0] = KEY.meta;
  for (let at = 0; at < name.length; at++) key[1 + at] = name.charCodeAt(at);
  return key;
}

/** Of what a session has once: itself, its will. */
export function sessionKeyOf(kind: number, session: number): Uint8Array {
  const key = new Uint8Array(SESSION_BYTES);
  start(key, kind, session);
  return key;
}

export function subscriptionKey(session: number, filter: Uint8Array): Uint8Array {
  const key = new Uint8Array(SESSION_BYTES + filter.length);
  start(key, KEY.subscription, session);
  key.set(filter, SESSION_BYTES);
  return key;
}

export function receivedKey(session: number, packetId: number): Uint8Array {
  const key = new Uint8Array(SESSION_BYTES + 2);
  start(key, KEY.received, session);
  key[SESSION_BYTES] = packetId >>> 8;
  key[SESSION_BYTES + 1] = packetId & 0xff;
  return key;
}

export function queueKey(session: number, seq: number): Uint8Array {
  const key = new Uint8Array(SESSION_BYTES + 6);
  start(key, KEY.queue, session);
  number48(key, SESSION_BYTES, seq);
  return key;
}

export function bodyKey(body: number): Uint8Array {
  const key = new Uint8Array(7);
  key[0] = KEY.body;
  number48(key, 1, body);
  return key;
}

/** The topic's bytes with `/` as 0x00, so that all below a level stands together right behind the level itself. */
export function retainedKey(topic: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + topic.length);
  key[0] = KEY.retained;
  for (let at = 0; at < topic.length; at++) key[1 + at] = topic[at] === SLASH ? 0 : (topic[at] as number);
  return key;
}

/** By the key of the identity. */
export function ownerKey(owner: string): Uint8Array {
  return Uint8Array.of(KEY.owner, ...UTF8.encode(owner));
}

export function quarantineKey(atMs: number, key: Uint8Array): Uint8Array {
  const quarantined = new Uint8Array(7 + key.length);
  quarantined[0] = KEY.quarantined;
  number48(quarantined, 1, atMs);
  quarantined.set(key, 7);
  return quarantined;
}

/** From the first possible key of a kind to the first behind it. */
export function rangeOf(kind: number): readonly [from: Uint8Array, to: Uint8Array] {
  return [Uint8Array.of(kind), Uint8Array.of(kind + 1)];
}

export function sessionOf(key: Uint8Array): number {
  return (key[1] as number) * 0x100_0000 + ((key[2] as number) << 16) + ((key[3] as number) << 8) + (key[4] as number);
}

/** What stands behind the session in the key of a queue. */
export function seqOf(key: Uint8Array): number {
  return read48(key, SESSION_BYTES);
}

export function packetIdOfKey(key: Uint8Array): number {
  return (key[SESSION_BYTES] as number) * 256 + (key[SESSION_BYTES + 1] as number);
}

function start(key: Uint8Array, kind: number, session: number): void {
  key[0] = kind;
  key[1] = session >>> 24;
  key[2] = (session >>> 16) & 0xff;
  key[3] = (session >>> 8) & 0xff;
  key[4] = session & 0xff;
}

function number48(key: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  const low = value >>> 0;
  key[at] = high >>> 8;
  key[at + 1] = high & 0xff;
  key[at + 2] = low >>> 24;
  key[at + 3] = (low >>> 16) & 0xff;
  key[at + 4] = (low >>> 8) & 0xff;
  key[at + 5] = low & 0xff;
}

function read48(key: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 6; i++) value = value * 256 + (key[i] as number);
  return value;
}

export const SESSION_BYTES = 5;
const SLASH = 0x2f;
const UTF8 = new TextEncoder();
