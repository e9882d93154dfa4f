// When a listener's session tickets get new keys: once a day, at an hour of its own. Whoever has a ticket then needs a full
// handshake at its next visit, so it waits while many are under way already: never in the middle of a reconnect storm.

export interface TicketRotationParts {
  readonly rotate: () => void;
  /** Handshakes under way. */
  readonly underWay: () => number;
  /** From 0 up to 1: where in its window the next time lies. */
  readonly chance: () => number;
}

/** Starts it; call the answer to end it. */
export function startTicketRotation({ rotate, underWay, chance }: TicketRotationParts): () => void {
  let timer: NodeJS.Timeout;
  const wait = (ms: number, then: () => void): void => {
    timer = setTimeout(then, ms);
    timer.unref();
  };
  const begin = (): void => wait(PERIOD_MS - JITTER_MS + 2 * JITTER_MS * chance(), () => due(0));
  const due = (waitedMs: number): void => {
    // Someone who keeps handshakes going all the time does not keep the keys.
    if (underWay() > UNDER_WAY_MAX && waitedMs < WAIT_MS_MAX) {
      wait(LOOK_AGAIN_MS, () => due(waitedMs + LOOK_AGAIN_MS));
      return;
    }
    rotate();
    begin();
  };
  begin();
  return () => clearTimeout(timer);
}

const HOUR_MS = 3_600_000;
const PERIOD_MS = 24 * HOUR_MS;
/** The time lies this much before or after the period's end. */
const JITTER_MS = 4 * HOUR_MS;
const UNDER_WAY_MAX = 32;
const LOOK_AGAIN_MS = 600_000;
const WAIT_MS_MAX = 24 * HOUR_MS;
