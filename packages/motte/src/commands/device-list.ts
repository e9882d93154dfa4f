// `motte device list`.

import { PSK_REALM } from '@motte/broker/ports/identity';
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
          ['DEVICE', 'PROOF', 'ROLES', 'STATE', 'CONNECTIONS', 'ADDED'],
          devices.map(({ name, realm, roles, state, connections, added }) => [
            name,
            realm === PSK_REALM ? 'key' : 'certificate',
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
