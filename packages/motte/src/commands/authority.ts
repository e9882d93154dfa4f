// `motte authority`: the process that keeps the CA. A child of `motte start` ends with it; with --sockets it is a service of
// its own, under another user than the broker's, and systemd is told when it is ready.

import { type CommandFile, type Exit, textOption } from '../command.ts';

export const command: CommandFile = {
  configure: (command) =>
    void command
      .option(
        '--sockets <dir>',
        'run apart from the broker: its sockets are in this directory, and a broker reaches its one by the group',
      )
      .option('--terminal', 'the passphrase of the keys may be asked for on the terminal of the process'),
  async run(context, _args, options) {
    const { runAuthorityProcess } = await import('@motte/pki');
    const sockets = textOption(options, 'sockets');
    const { askAtStandardInput, askAtTerminal } = await import('../data/ask-for-ca-passphrase.ts');
    const ask = options['terminal'] === true ? askAtTerminal : askAtStandardInput();
    const own = { data: context.data, ...(ask === undefined ? {} : { ask }) };
    if (sockets === undefined) return (await runAuthorityProcess(own)) as Exit;
    const { openServiceManager } = await import('../start/service-manager.ts');
    const manager = openServiceManager({
      env: process.env,
      report: (_level, text, why) => context.warn(`motte authority: ${text}: ${why}`),
    });
    try {
      return (await runAuthorityProcess({
        ...own,
        sockets,
        onReady: () => manager.ready('both sockets are open'),
        onEnding: () => manager.stopping('ending'),
      })) as Exit;
    } finally {
      await manager.close();
    }
  },
};
