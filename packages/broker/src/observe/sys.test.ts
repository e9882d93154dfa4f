import { expect, it } from 'vitest';
import { Counters } from '../ports/counters.ts';
import { sysMessages } from './sys.ts';

it('$SYS topics all start with $SYS, none twice, each with a text', () => {
  const counters = new Counters();
  counters.messagesReceived = 12;
  const messages = sysMessages(counters, { version: '0.1.0', uptimeSeconds: 3 });
  expect(new Set(messages.map(({ topic }) => topic)).size).toBe(messages.length);
  expect(messages.every(({ topic, payload }) => topic.startsWith('$SYS/broker/') && payload !== '')).toBe(true);
  expect(messages).toContainEqual({ topic: '$SYS/broker/uptime', payload: '3' });
  expect(messages).toContainEqual({ topic: '$SYS/broker/messages/received', payload: '12' });
});
