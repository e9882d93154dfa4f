// `motte user passwd NAME`: a new password. Whoever is connected with the old one is not any more.

import type { CommandFile } from '../command.ts';
import { countOf } from '../table.ts';
import { withUsers } from '../users/open-users.ts';
import { readPassword } from '../users/read-password.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<name>', 'the user')
      .option('--password-file <file>', 'holds the new password; without it you are asked');
  },
  async run(context, [name = ''], options) {
    const password = await readPassword(context, name, options);
    const connections = await withUsers(context.data, (users) => users.setPassword(name, password));
    if (context.json) context.document({ format: 1, name, connections });
    else context.say(`user ${name} has a new password, ${countOf(connections, 'connection')} ended`);
    return 0;
  },
};
