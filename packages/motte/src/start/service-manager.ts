// What the service manager is told (sd_notify(3)): that the program is ready, reads its configuration again or ends, and that it
// still works. Node has no datagrams over Unix sockets; `systemd-notify` has, so each message is a call of it, one after the
// other. Without NOTIFY_SOCKET in the environment nothing is said to anybody.

import { execFile } from 'node:child_process';

export interface ServiceManager {
  /** What is going on, for `systemctl status`. */
  status(text: string): void;
  /** Every listener accepts, for the first time or after `reloading`. */
  ready(text: string): void;
  reloading(): void;
  stopping(text: string): void;
  /** Says twice in the time that WATCHDOG_USEC allows that all is well, and `text`, for as long as nothing is `wrong`. */
  watch(wrong: () => string | undefined, text: () => string): void;
  /** Ends the watch; resolves when everything was said. */
  close(): Promise<void>;
}

export interface ServiceManagerParts {
  readonly env: NodeJS.ProcessEnv;
  /** Told once that the service manager cannot be, and each time the watchdog is left alone. */
  readonly report: (level: 'warn' | 'error', text: string, why: string) => void;
}

export function openServiceManager({ env, report }: ServiceManagerParts): ServiceManager {
  if (env['NOTIFY_SOCKET'] === undefined) return NOBODY;
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  let isFailing = false;
  let timer: NodeJS.Timeout | undefined;
  const tell = (...assignments: readonly string[]): void => {
    waiting += 1;
    last = last
      .then(() => notify(assignments, env))
      .then(
        () => {
          isFailing = false;
        },
        (fault: Error) => {
          if (!isFailing) report('warn', 'the service manager could not be told', fault.message);
          isFailing = true;
        },
      )
      .finally(() => {
        waiting -= 1;
      });
  };
  return {
    status: (text) => tell(statusOf(text)),
    ready: (text) => tell('READY=1', statusOf(text)),
    reloading: () =>
      tell(
        'RELOADING=1',
        `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`,
        statusOf('reading the configuration again'),
      ),
    stopping: (text) => tell('STOPPING=1', statusOf(text)),
    watch(wrong, text) {
      const everyMs = watchdogMs(env) / 2;
      if (everyMs === 0) return;
      timer = setInterval(() => {
        const why = wrong();
        if (why !== undefined) report('error', 'the watchdog is not told that all is well', why);
        // One that is not heard in time is not helped by more of them.
        else if (waiting === 0) tell('WATCHDOG=1', statusOf(text()));
      }, everyMs);
    },
    close() {
      clearInterval(timer);
      return last;
    },
  };
}

/** The time in ms within which a sign of life is due; 0 = nobody waits for one of this process. */
function watchdogMs(env: NodeJS.ProcessEnv): number {
  const pid = env['WATCHDOG_PID'];
  const usec = Number(env['WATCHDOG_USEC'] ?? 0);
  if (pid !== undefined && pid !== String(process.pid)) return 0;
  return Number.isFinite(usec) && usec > 0 ? Math.max(usec / 1000, WATCHDOG_MS_MIN) : 0;
}

function notify(assignments: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('systemd-notify', ['--', ...assignments], { env, timeout: NOTIFY_DEADLINE_MS }, (fault, _out, err) => {
      if (fault === null) resolve();
      else reject(new Error(`systemd-notify: ${err.trim() || fault.message}`));
    });
  });
}

/** One line: a message is a list of lines. */
function statusOf(text: string): string {
  return `STATUS=${text.replace(/\s+/g, ' ').slice(0, STATUS_CHARACTERS_MAX)}`;
}

const NOBODY: ServiceManager = {
  status: () => {},
  ready: () => {},
  reloading: () => {},
  stopping: () => {},
  watch: () => {},
  close: () => Promise.resolve(),
};

const NOTIFY_DEADLINE_MS = 5_000;
const STATUS_CHARACTERS_MAX = 500;
/** A call takes some 30 ms: a watchdog that asks for more is answered as often as makes sense. */
const WATCHDOG_MS_MIN = 200;
