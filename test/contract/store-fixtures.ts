// What the contract of Store is written with: records to stage, and questions that wait for their answers.

import { expect } from 'vitest';
import type { Message } from '../../packages/broker/src/ports/message.ts';
import type {
  Cursor,
  OpenedSession,
  QueuedMessage,
  Store,
  StoredSession,
  StoredSubscription,
} from '../../packages/broker/src/ports/store.ts';
import { parseTopicFilter, parseTopicName } from '../../packages/wire/src/index.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Lets everything that is staged or asked so far be committed or answered. */
  settle(): Promise<void> | void;
}

/** Gives a fresh, empty store. */
export type OpenStore = () => Promise<StoreUnderTest> | StoreUnderTest;

const encoder = new TextEncoder();

export function message(topic: string, payload = 'payload'): Message {
  return {
    topic: parseTopicName(topic),
    topicBytes: encoder.encode(topic),
    payload: encoder.encode(payload),
    qos: 1,
    retain: true,
    properties: new Uint8Array(0),
    expiresAtMs: 0,
    given: undefined,
    publisher: 'publisher',
    owner: 'owner',
  };
}

export function session(key: string): StoredSession {
  return {
    key,
    realm: 'ca:motte',
    name: key,
    clientId: key,
    generation: 1,
    expirySeconds: 3600,
    endedAtMs: 0,
    sentSeq: 0,
    unsureSeq: 0,
    listener: 'devices',
    address: '10.0.0.7',
  };
}

export function subscription(filter: string): StoredSubscription {
  return {
    filter: parseTopicFilter(filter),
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: 0,
  };
}

export function queued(seq: number): QueuedMessage {
  return { seq, message: message('q'), qos: 2, retain: false, subscriptionIds: [], share: '', queuedAtMs: 1_000 + seq };
}

export type Settle = StoreUnderTest['settle'];

export async function openSession(store: Store, settle: Settle, key: string): Promise<OpenedSession | undefined> {
  let answer: OpenedSession | undefined;
  store.openSession(key, (opened) => {
    answer = opened;
  });
  await settle();
  return answer;
}

export async function listSessions(store: Store, settle: Settle): Promise<readonly OpenedSession[]> {
  let answer: readonly OpenedSession[] = [];
  store.listSessions((sessions) => {
    answer = sessions;
  });
  await settle();
  return answer;
}

export async function readQueue(store: Store, settle: Settle, key: string, afterSeq: number, max: number) {
  let answer: readonly QueuedMessage[] = [];
  store.readQueue(key, afterSeq, max, (entries, fault) => {
    expect(fault).toBeUndefined();
    answer = entries;
  });
  await settle();
  return answer;
}

export async function retainedPage(store: Store, settle: Settle, filter: string, cursor: Cursor, max: number) {
  let answer: { messages: readonly Message[]; next: Cursor } | undefined;
  store.matchRetained(parseTopicFilter(filter), cursor, max, (messages, next) => {
    answer = { messages, next };
  });
  await settle();
  if (answer === undefined) throw new Error('the store did not answer');
  expect(answer.messages.length).toBeLessThanOrEqual(max);
  return answer;
}

export async function matchRetained(store: Store, settle: Settle, filter: string, max: number): Promise<Message[]> {
  const found: Message[] = [];
  let cursor: Cursor;
  do {
    const page = await retainedPage(store, settle, filter, cursor, max);
    found.push(...page.messages);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}
