// Time as the client sees it: passed in, so that tests need not wait.

export interface Timers {
  /** Calls `action` once, `ms` milliseconds from now; returns what cancels it. */
  after(ms: number, action: () => void): () => void;
  /** Calls `action` every `ms` milliseconds; returns what stops it. */
  every(ms: number, action: () => void): () => void;
}

/** The timers of the runtime. */
export const SYSTEM_TIMERS: Timers = {
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
  every(ms, action) {
    const timer = setInterval(action, ms);
    return () => clearInterval(timer);
  },
};
