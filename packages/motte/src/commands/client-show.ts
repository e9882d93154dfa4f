// `motte client show CLIENT`: one client id, or all of one identity, in full.

import { MotteError, openAdmin } from '@motte/admin';
import type { CommandFile } from '../command.ts';
import { renderFields } from '../table.ts';
import { versionText } from './who.ts';

export const command: CommandFile = {
  configure: (command) => void command.argument('<client>', 'client id or identity'),
  async run(context, [wanted]) {
    const { clients } = await openAdmin(context.data).clients();
    const found = clients.filter((client) => client.clientId === wanted || client.identity === wanted);
    if (found.length === 0) throw new MotteError('MOT-0701', `${wanted} is neither connected nor has a session`);
    if (context.json) context.document({ format: 1, clients: found });
    else {
      const blocks = found.map(({ version, roles, ...rest }) =>
        renderFields([...Object.entries(rest), ['version', versionText(version)], ['roles', roles.join(', ')]]),
      );
      context.say(blocks.join('\n\n'));
    }
    return 0;
  },
};
