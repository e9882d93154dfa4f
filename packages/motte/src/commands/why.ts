// `motte why [last|CLIENT|IDENTITY|IP|ID]`: refusals, newest first.

import { MotteError, openAdmin } from '@motte/admin';
import type { CommandFile } from '../command.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('[query]', '`last`, a client id, a device, an address or the id of a refusal; all of them without')
      .option('--max <n>', 'how many at most: 1 to 1000', '20');
  },
  async run(context, [query = ''], options) {
    const max = Number(options['max']);
    if (!(Number.isInteger(max) && max >= 1 && max <= 1000)) throw new MotteError('MOT-0002', '--max takes 1 to 1000');
    const found = await openAdmin(context.data).refusals(query, max);
    if (context.json) context.document(found);
    else if (found.refusals.length > 0) context.say(found.refusals.map(({ text }) => text).join('\n\n'));
    else context.say(query === '' || query === 'last' ? 'nothing was refused' : `nothing was refused to ${query}`);
    return found.refusals.length > 0 ? 0 : 1;
  },
};
