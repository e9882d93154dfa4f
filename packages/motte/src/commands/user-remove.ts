// `motte user remove NAME`: the user, its connections and everything that is kept for it.

import type { CommandFile } from '../command.ts';
import { countOf } from '../table.ts';
import { withUsers } from '../users/open-users.ts';

export const command: CommandFile = {
  configure: (command) => void command.argument('<name>', 'the user'),
  async run(context, [name = '']) {
    const ended = await withUsers(context.data, (users) => users.remove(name));
    if (context.json) context.document({ format: 1, name, ...ended });
    else {
      const what = `${countOf(ended.connections, 'connection')} and ${countOf(ended.sessions, 'session')}`;
      context.say(`user ${name} is removed, ${what} ended`);
    }
    return 0;
  },
};
