import { describe, expect, it } from 'vitest';
import { createLog } from './log.ts';
import { printable } from './printable.ts';

function logTo(shape: 'json' | 'text', level: 'debug' | 'info' | 'warn' | 'error' | 'off' = 'info') {
  const lines: string[] = [];
  return { lines, log: createLog({ level, shape, write: (line) => lines.push(line) }) };
}

describe('the log', () => {
  it('writes an event as one JSON line with its level, name and sentence', () => {
    const { lines, log } = logTo('json');
    log.observe({ name: 'session.expired', atMs: 0, clientId: 'pump-1' });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'info',
        time: '1970-01-01T00:00:00.000Z',
        event: 'session.expired',
        clientId: 'pump-1',
        msg: 'a session reached its end',
      },
    ]);
  });

  it('writes nothing below its level and nothing at all when off', () => {
    const { lines, log } = logTo('text', 'warn');
    log.observe({ name: 'session.expired', atMs: 0 });
    log.level = 'off';
    log.observe({ name: 'store.fault', atMs: 0, why: 'disk' });
    expect(lines).toEqual([]);
  });

  it.each(['json', 'text'] as const)('lets no control character of a client reach a terminal (%s)', (shape) => {
    const { lines, log } = logTo(shape);
    log.observe({ name: 'session.expired', atMs: 0, clientId: 'a\u001b]0;x\u0007\nforged line\u009b\u202e\u061c' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/\p{Cc}|\u202e|\u061c/u);
  });

  it('cuts what is too long and leaves ordinary text, also beyond ASCII, as it is', () => {
    expect(printable('Pumpe Süd 東')).toBe('Pumpe Süd 東');
    expect(printable('😀')).toBe('😀');
    expect(printable('x'.repeat(1000))).toHaveLength(257);
  });
});
