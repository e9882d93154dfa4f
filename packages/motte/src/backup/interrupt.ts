// SIGINT and SIGTERM while files are being made: the work ends with an error like any other, so that it cleans up.

import { MotteError } from '@motte/admin/errors';

export interface Interrupts {
  /** Throws MOT-0803 once a signal came; called between two steps. */
  check(): void;
  end(): void;
}

export function catchInterrupts(): Interrupts {
  let signal: string | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    signal = name;
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    check() {
      if (signal !== undefined) throw new MotteError('MOT-0803', `it was interrupted by ${signal}`);
    },
    end: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
