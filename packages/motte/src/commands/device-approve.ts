// `motte device approve ID|NAME`: the device fetches its certificate when it asks again. A name that is taken is not given twice.

import { MotteError } from '@motte/admin/errors';
import type { CommandFile } from '../command.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { withRegistry } from '../data/registered.ts';

export const command: CommandFile = {
  configure: (command) =>
    void command.argument('<request>', 'the id, or the name where only one asks for it; compare the fingerprint first'),
  async run(context, [request = '']) {
    const { groupFingerprint } = await import('@motte/pki');
    const row = await withRegistry(context, (registry) =>
      askAuthority(context, async (ca) => {
        const { requests } = await ca.enrolments();
        const meant = requests.find(
          ({ id, name, state }) => state === 'waiting' && (id === request || name === request),
        );
        const isTaken = meant?.kind === 'join' && (await registry.find(meant.name)) !== undefined;
        if (isTaken) throw new MotteError('MOT-0602', `${meant.name}: deny the request, or remove the device first`);
        return ca.approveRequest(request);
      }),
    );
    if (context.json) context.document({ format: 1, request: row });
    else {
      context.say(`${row.id} is approved: device ${row.name}, key ${groupFingerprint(row.fingerprint)}`);
      context.say('it gets its certificate when it asks again: the same command on the device');
    }
    return 0;
  },
};
