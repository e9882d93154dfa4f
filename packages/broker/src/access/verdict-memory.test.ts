import { parseTopicName } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { ALLOW, refuse } from '../ports/verdict.ts';
import { VerdictMemory } from './verdict-memory.ts';

describe('VerdictMemory', () => {
  it('100,000 invented topics leave little behind, and a topic in use stays', () => {
    const memory = new VerdictMemory();
    const used = parseTopicName('devices/pump-1/up/flow');
    const refusal = refuse('not-authorized', 'x'.repeat(400), 'role device');
    memory.remember(used, ALLOW);
    for (let i = 0; i < 100_000; i++) {
      memory.remember(parseTopicName(`devices/pump-1/${i}`), i % 2 === 0 ? ALLOW : refusal);
      expect(memory.find(used)).toBe(ALLOW);
    }
    expect(memory.size).toBeLessThan(500);
  });

  it('does not keep a topic that would fill it alone', () => {
    const memory = new VerdictMemory();
    const long = parseTopicName('x'.repeat(60_000));
    expect(memory.remember(long, 'ask')).toBe('ask');
    expect(memory.find(long)).toBeUndefined();
    expect(memory.size).toBe(0);
  });
});
