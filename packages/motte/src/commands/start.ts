// `motte start`: the broker in the foreground.

import type { CommandFile } from '../command.ts';

export const command: CommandFile = {
  configure: (command) => {
    command.addHelpText(
      'after',
      '\nSIGHUP reads motte.yaml again, SIGTERM lets clients go and ends, a second SIGTERM ends at once.',
    );
  },
  async run(context) {
    const { runStart } = await import('../start/run.ts');
    return runStart(context);
  },
};
