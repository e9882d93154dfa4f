import { expect, it } from 'vitest';
import { catchInterrupts } from './interrupt.ts';

it.each(['SIGINT', 'SIGTERM'] as const)('%s ends the work between two steps, and is let go of afterwards', (signal) => {
  const before = process.listenerCount(signal);
  const interrupts = catchInterrupts();
  interrupts.check();
  process.emit(signal, signal);
  expect(() => interrupts.check()).toThrow(
    expect.objectContaining({ code: 'MOT-0803', why: `it was interrupted by ${signal}` }),
  );
  interrupts.end();
  expect(process.listenerCount(signal)).toBe(before);
});
