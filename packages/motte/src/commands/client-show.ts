// `motte client show CLIENT`: one client id, or all of one identity, in full.

import { type Client, MotteError, openAdmin } from '@motte/admin';
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
      context.say(found.map((client) => renderFields(fieldsOf(client))).join('\n\n'));
    }
    return 0;
  },
};

function fieldsOf({ version, roles, certificateDaysLeft, tlsResumed, ...rest }: Client): [string, string | number][] {
  return [
    ...Object.entries(rest),
    ['tlsResumed', tlsResumed ? 'yes' : 'no'],
    ['certificateDaysLeft', certificateDaysLeft ?? '-'],
    ['version', versionText(version)],
    ['roles', roles.join(', ')],
  ];
}
