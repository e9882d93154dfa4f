// `motte device list`.

import type { CommandFile } from '../command.ts';
import { withRegistry } from '../data/registered.ts';
import { renderTable } from '../table.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const devices = await withRegistry(context.data, (registry) => registry.list());
    if (context.json) context.document({ format: 1, devices });
    else {
      context.say(
        renderTable(
          ['DEVICE', 'ROLES', 'STATE', 'CONNECTIONS', 'ADDED'],
          devices.map(({ name, roles, state, connections, added }) => [
            name,
            roles.join(','),
            state,
            connections,
            added,
          ]),
        ),
      );
    }
    return 0;
  },
};
