// `motte device deny ID|NAME`: the request is refused for good, and a token of that name that nobody used is void.

import type { CommandFile } from '../command.ts';
import { askAuthority } from '../data/ask-authority.ts';

export const command: CommandFile = {
  configure: (command) => void command.argument('<request>', 'the id of a request, or the name of a device'),
  async run(context, [request = '']) {
    const { denied, voided } = await askAuthority(context, (ca) => ca.denyRequest(request));
    if (context.json) context.document({ format: 1, denied, voided });
    else context.say(`${denied} denied${voided ? `, and the token of ${request} is void` : ''}`);
    return 0;
  },
};
