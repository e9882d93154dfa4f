import { describe, expect, it } from 'vitest';
import { PolicyRefused, parsePolicy } from './document.ts';

const roleWith = (quotas: string): string => `roles:\n  device:\n    rules: []\n    quotas: ${quotas}\n`;

describe('quotas of a role', () => {
  it('are read, each with the role that it is from', () => {
    const text = roleWith('{ connections: 2, messagesPerSecond: 50, beyondRate: refuse }');
    const quotas = parsePolicy(text, 'p.yaml').roles.get('device')?.quotas;
    expect(quotas).toMatchObject({ connections: 2, messagesPerSecond: 50, beyondRate: 'refuse', queueBytes: Infinity });
    expect(quotas?.roles).toEqual({ connections: 'device', messagesPerSecond: 'device' });
  });

  it.each([
    ['{ connections: 0 }', 'roles.device.quotas.connections: must be a whole number from 1 on'],
    ['{ connections: 1.5 }', 'must be a whole number'],
    ['{ connections: many }', 'must be a whole number'],
    ['{ connections: [1] }', 'must be a whole number'],
    ['{ bytesPerSecond: .inf }', 'must be a whole number'],
    ['{ conections: 1 }', 'roles.device.quotas.conections: unknown key; did you mean connections?'],
    ['{ constructor: 1 }', 'unknown key; allowed here: connections, messagesPerSecond'],
    ['{ beyondRate: never }', 'roles.device.quotas.beyondRate: must be one of slow, refuse'],
    ['[connections]', 'roles.device.quotas: must be a section of keys'],
  ])('%s is refused with its place', (quotas, why) => {
    try {
      parsePolicy(roleWith(quotas), 'p.yaml');
      expect.unreachable();
    } catch (error) {
      expect((error as PolicyRefused).lines[0]).toContain(why);
      expect((error as PolicyRefused).lines[0]).toMatch(/^p\.yaml:4:\d+: /);
    }
  });
});
