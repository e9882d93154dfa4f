// `motte access who TOPIC`: everybody who may publish or receive it. 0 somebody · 1 nobody.

import type { CommandFile } from '../command.ts';
import { withPolicies } from '../policy/open-policies.ts';
import { renderTable } from '../table.ts';

export const command: CommandFile = {
  configure: (command) => void command.argument('<topic>', 'a topic, without wildcards'),
  async run(context, [topic = '']) {
    const holders = await withPolicies(context, (policies) => policies.who(topic), { writes: false });
    if (context.json) context.document({ format: 1, topic, holders });
    else if (holders.length === 0) context.say('nobody');
    else {
      const rows = holders.map(({ identity, publish, receive }) => [identity, publish, receive]);
      context.say(renderTable(['IDENTITY', 'PUBLISH', 'RECEIVE'], rows));
    }
    return holders.length > 0 ? 0 : 1;
  },
};
