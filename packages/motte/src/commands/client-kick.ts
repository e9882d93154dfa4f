// `motte client kick CLIENT`: ends connections; the client may connect again.

import { openAdmin } from '@motte/admin';
import type { CommandFile } from '../command.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<client>', 'client id')
      .option('--identity', 'the argument is an identity: end all its connections')
      .option('--connection', 'the argument is the number of a connection');
  },
  async run(context, [client = ''], options) {
    const by =
      options['identity'] === true
        ? { identity: client }
        : options['connection'] === true
          ? { connection: Number(client) }
          : { clientId: client };
    const kicked = await openAdmin(context.data).kick(by);
    if (context.json) context.document(kicked);
    else context.say(`ended ${kicked.ended} ${kicked.ended === 1 ? 'connection' : 'connections'}`);
    return 0;
  },
};
