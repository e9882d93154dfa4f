// `motte authority`: the child of `motte start` that keeps the CA. Not for people.

import type { CommandFile, Exit } from '../command.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const { runAuthorityProcess } = await import('@motte/pki');
    return (await runAuthorityProcess(['--data', context.data])) as Exit;
  },
};
