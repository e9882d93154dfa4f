// `motte user list`.

import type { CommandFile } from '../command.ts';
import { renderTable } from '../table.ts';
import { withUsers } from '../users/open-users.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const users = await withUsers(context.data, (open) => open.list());
    if (context.json) context.document({ format: 1, users });
    else {
      const rows = users.map(({ name, realm, roles, state, connections, added }) => {
        return [name, realm, roles.join(','), state, connections, added];
      });
      context.say(renderTable(['USER', 'REALM', 'ROLES', 'STATE', 'CONNECTIONS', 'ADDED'], rows));
    }
    return 0;
  },
};
