import type { TopicName } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { MemoryQueue, type WaitingMessage } from './memory-queue.ts';

function waiting(number: number, payloadBytes = 10): WaitingMessage {
  const message = {
    topic: 't' as TopicName,
    topicBytes: Uint8Array.of(0x74),
    payload: new Uint8Array(payloadBytes),
    qos: 1,
    retain: false,
    properties: new Uint8Array(2),
    expiresAtMs: number,
    given: undefined,
    publisher: '',
    owner: '',
  } as const;
  return { message, qos: 1, retain: false, subscriptionIds: [], shared: undefined, queuedAtMs: 0 };
}

describe('MemoryQueue', () => {
  it('gives first what came first, however pushing and shifting alternate', () => {
    const queue = new MemoryQueue();
    let pushed = 0;
    let shifted = 0;
    for (let round = 0; round < 3000; round++) {
      for (let n = 0; n < 1 + (round % 3); n++) queue.push(waiting(pushed++));
      for (let n = 0; n < round % 4 && queue.size > 0; n++) {
        expect(queue.shift()?.message.expiresAtMs).toBe(shifted++);
      }
      expect(queue.size).toBe(pushed - shifted);
    }
    while (queue.size > 0) expect(queue.shift()?.message.expiresAtMs).toBe(shifted++);
    expect([queue.shift(), queue.size, queue.bytes]).toEqual([undefined, 0, 0]);
    expect(shifted).toBe(pushed);
  });

  it('counts what the messages carry: topic, properties and payload', () => {
    const queue = new MemoryQueue();
    queue.push(waiting(1, 100));
    queue.push(waiting(2, 0));
    expect(queue.bytes).toBe(106);
    queue.shift();
    expect(queue.bytes).toBe(3);
    queue.clear();
    expect([queue.size, queue.bytes]).toEqual([0, 0]);
    queue.push(waiting(3));
    expect(queue.shift()?.message.expiresAtMs).toBe(3);
  });
});
