import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../ports/message.ts';
import { Bodies } from './bodies.ts';

const message = (): Message => ({}) as Message;

function started(): Bodies {
  const bodies = new Bodies();
  bodies.startAt(100);
  return bodies;
}

describe('Bodies', () => {
  it('a message that one queue owes has none', () => {
    const bodies = started();
    const one = message();
    bodies.stage(one);
    expect(bodies.write(one)).toEqual({ number: 0, isNew: false });
  });

  it('a message that several owe has one, written with the first and gone with the last', () => {
    const bodies = started();
    const one = message();
    for (let n = 0; n < 3; n++) bodies.stage(one);
    expect(bodies.write(one)).toEqual({ number: 100, isNew: true });
    expect(bodies.write(one)).toEqual({ number: 100, isNew: false });
    expect(bodies.write(one)).toEqual({ number: 100, isNew: false });
    expect([bodies.release(100), bodies.release(100), bodies.release(100)]).toEqual([false, false, true]);
    expect(bodies.release(100)).toBe(false);
  });

  it('a copy that is struck out is not counted, and the last one left needs none', () => {
    const bodies = started();
    const one = message();
    bodies.stage(one);
    bodies.stage(one);
    bodies.strike(one);
    expect(bodies.write(one)).toEqual({ number: 0, isNew: false });
  });

  it('goes on counting what was found at the start', () => {
    const bodies = new Bodies();
    bodies.found(7);
    bodies.found(7);
    bodies.found(3);
    expect(bodies.highest).toBe(7);
    expect([bodies.release(7), bodies.release(7), bodies.release(3)]).toEqual([false, true, true]);
  });

  it('whatever happens, every copy that is written refers to a body that is there, and none is left over', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('stage', 'write', 'strike', 'release'), fc.nat(2))), (steps) => {
        const bodies = started();
        const messages = [message(), message(), message()];
        const waiting = [0, 0, 0];
        const copies: number[] = [];
        const there = new Set<number>();
        const act = (step: string, which: number): void => {
          const one = messages[which] as Message;
          if (step === 'stage') {
            bodies.stage(one);
            waiting[which] = (waiting[which] as number) + 1;
          } else if (step === 'release') {
            const number = copies.pop();
            if (number !== undefined && bodies.release(number)) there.delete(number);
          } else if ((waiting[which] as number) > 0) {
            waiting[which] = (waiting[which] as number) - 1;
            if (step === 'strike') bodies.strike(one);
            else {
              const { number, isNew } = bodies.write(one);
              expect(isNew && there.has(number), 'no number is given twice').toBe(false);
              if (isNew) there.add(number);
              if (number !== 0) copies.push(number);
            }
          }
          for (const number of copies) expect(there).toContain(number);
        };
        for (const [step, which] of steps) act(step, which);
        for (const which of [0, 1, 2]) while ((waiting[which] as number) > 0) act('write', which);
        while (copies.length > 0) act('release', 0);
        expect(there.size).toBe(0);
      }),
    );
  });
});
