// `motte device list`.

import { OWN_REALM, PSK_REALM } from '@motte/broker/ports/identity';
import type { CommandFile } from '../command.ts';
import { withRegistry } from '../data/registered.ts';
import { renderTable } from '../table.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const devices = await withRegistry(context, (registry) => registry.list());
    if (context.json) context.document({ format: 1, devices });
    else {
      context.say(
        renderTable(
          ['DEVICE', 'PROOF', 'ROLES', 'STATE', 'CONNECTIONS', 'ADDED'],
          devices.map(({ name, realm, roles, state, connections, added }) => [
            name,
            PROOFS.get(realm) ?? realm,
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

/** By realm; a foreign authority is shown by its own. */
const PROOFS: ReadonlyMap<string, string> = new Map([
  [OWN_REALM, 'certificate'],
  [PSK_REALM, 'key'],
]);
