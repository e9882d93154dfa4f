// Brings events to observers. An observer that throws is counted and does no harm; an event that nobody wants is not built.

import { type BrokerEvent, type Emit, EVENTS, type Level } from '../events.ts';
import type { Clock } from '../ports/clock.ts';
import type { Counters } from '../ports/counters.ts';
import type { Observer } from '../ports/observer.ts';

const RANK: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface Emitter {
  readonly emit: Emit;
  /** From now on the observer sees events of this level and above; call the answer to end it. */
  observe(observer: Observer, from: Level): () => void;
}

export function createEmitter(clock: Clock, counters: Counters): Emitter {
  const observers = new Set<{ readonly observer: Observer; readonly from: number }>();
  let lowest: number = Number.POSITIVE_INFINITY;
  const measure = (): void => {
    lowest = Math.min(...[...observers].map(({ from }) => from), Number.POSITIVE_INFINITY);
  };
  const emit = ((name, fields) => {
    const rank = RANK[EVENTS[name].level];
    if (rank < lowest) return;
    const event = { name, atMs: clock.nowMs(), ...fields } as unknown as BrokerEvent;
    for (const { observer, from } of observers) {
      if (rank < from) continue;
      try {
        observer(event);
      } catch {
        counters.observerFaults += 1;
      }
    }
  }) as Emit;
  emit.wanted = (level) => RANK[level] >= lowest;
  return {
    emit,
    observe(observer, from) {
      const entry = { observer, from: RANK[from] };
      observers.add(entry);
      measure();
      return () => {
        observers.delete(entry);
        measure();
      };
    },
  };
}
