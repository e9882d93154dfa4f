// The signals that `motte start` answers to: SIGTERM and SIGINT end it, SIGHUP has it read its configuration again.

/** The first SIGTERM or SIGINT resolves; the second ends the process where it stands. */
export function endSignals(): Promise<string> {
  return new Promise((resolve) => {
    let seen = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (seen) process.exit(signal === 'SIGINT' ? 130 : 143);
      seen = true;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  });
}

/** SIGHUP from the first moment on: one that comes before there is anything to reload must not end the process. */
export function reloadSignals(): { use(work: () => Promise<void>): void } {
  let last: Promise<void> = Promise.resolve();
  let work: (() => Promise<void>) | undefined;
  process.on('SIGHUP', () => {
    if (work !== undefined) last = last.then(work);
  });
  return {
    use: (next) => {
      work = next;
    },
  };
}
