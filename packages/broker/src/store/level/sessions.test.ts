import { describe, expect, it } from 'vitest';
import { SessionNumbers } from './sessions.ts';

describe('SessionNumbers', () => {
  it('gives each key one number, and a new one when it begins again', () => {
    const sessions = new SessionNumbers();
    const first = sessions.of('pump');
    expect(sessions.of('pump')).toBe(first);
    expect(sessions.find('pump')).toBe(first);
    sessions.end('pump');
    expect(sessions.find('pump')).toBeUndefined();
    expect(sessions.isAlive(first)).toBe(false);
    const second = sessions.of('pump');
    expect(second).not.toBe(first);
    expect(sessions.isAlive(second)).toBe(true);
    expect(sessions.size).toBe(1);
  });

  it('goes on above what was found, of sessions that are there and of those that left something behind', () => {
    const sessions = new SessionNumbers();
    sessions.put('pump', 7);
    sessions.left(19);
    expect(sessions.of('valve')).toBe(20);
    expect([...sessions.ended]).toEqual([19]);
    expect(sessions.isAlive(19)).toBe(false);
    expect(sessions.isAlive(7)).toBe(true);
  });

  it('the end of a session that is not there changes nothing', () => {
    const sessions = new SessionNumbers();
    sessions.end('pump');
    expect(sessions.of('pump')).toBe(1);
  });
});
