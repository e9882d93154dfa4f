import { describe, expect, it } from 'vitest';
import { NO_QUOTAS } from '../ports/quotas.ts';
import { completeQuotas, mergeQuotas } from './quotas.ts';

const slow = completeQuotas('slow', { messagesPerSecond: 10, payloadBytes: 1000 });
const fast = completeQuotas('fast', { messagesPerSecond: 100, beyondRate: 'refuse' });

describe('quotas of several roles', () => {
  it('are none if no role names any', () => {
    expect(mergeQuotas([])).toBe(NO_QUOTAS);
    expect(mergeQuotas([NO_QUOTAS, completeQuotas('empty', { beyondRate: 'refuse' })])).toBe(NO_QUOTAS);
  });

  it('are those of the only role that has some, without a copy', () => {
    expect(mergeQuotas([NO_QUOTAS, slow])).toBe(slow);
  });

  it('are the largest of each, with the role that it is from', () => {
    for (const merged of [mergeQuotas([slow, fast]), mergeQuotas([fast, slow])]) {
      expect(merged).toMatchObject({ messagesPerSecond: 100, payloadBytes: 1000, connections: Infinity });
      expect(merged.roles).toEqual({ messagesPerSecond: 'fast', payloadBytes: 'slow' });
    }
  });

  it('refuse beyond the rate only where every role that bounds it does', () => {
    expect(mergeQuotas([slow, fast]).beyondRate).toBe('slow');
    expect(mergeQuotas([completeQuotas('size', { payloadBytes: 1 }), fast]).beyondRate).toBe('refuse');
    expect(mergeQuotas([fast, completeQuotas('also', { bytesPerSecond: 1, beyondRate: 'refuse' })]).beyondRate).toBe(
      'refuse',
    );
  });
});
