// `motte access diff FILE`: whose rights a policy would change, of those who are here: their subscriptions, and what they published
// lately. Asks the running broker, which alone knows. 0 nobody's · 1 somebody's.

import { MotteError } from '@motte/admin/errors';
import type { CommandFile } from '../command.ts';
import { parsePolicy } from '../policy/document.ts';
import { withPolicies } from '../policy/open-policies.ts';
import { readPolicySource } from '../policy/read-source.ts';
import { replayLines } from '../policy/say-report.ts';

export const command: CommandFile = {
  configure: (command) => void command.argument('<file>', 'a policy; - for standard input'),
  async run(context, [file = '']) {
    const source = readPolicySource(file);
    parsePolicy(source.text, source.file);
    const { replay } = await withPolicies(context, (policies) => policies.check(source), { writes: false });
    if (replay === null)
      throw new MotteError('MOT-0501', `nobody is connected to what does not run on ${context.data}`);
    if (context.json) context.document({ format: 1, ...replay });
    else context.say(replayLines({ replay }).join('\n'));
    return replay.changes.length === 0 ? 0 : 1;
  },
};
