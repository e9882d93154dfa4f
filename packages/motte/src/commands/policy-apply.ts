// `motte policy apply FILE`: the policy is read, judged and tested, then stored and in force, all or nothing.

import { userInfo } from 'node:os';
import { MotteError } from '@motte/admin/errors';
import { type CommandFile, textOption } from '../command.ts';
import { parsePolicy } from '../policy/document.ts';
import { withPolicies } from '../policy/open-policies.ts';
import { readPolicySource } from '../policy/read-source.ts';
import { changeLines, counted, replayLines, reportLines } from '../policy/say-report.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<file>', 'a policy, in place of all of the one in force; - for standard input')
      .option('--why <text>', 'the reason, kept with it; at most 500 characters')
      .option('--strict', 'findings refuse it, too');
  },
  async run(context, [file = ''], options) {
    const why = textOption(options, 'why') ?? '';
    if (why.length > WHY_MAX) throw new MotteError('MOT-0002', `--why takes at most ${WHY_MAX} characters`);
    const source = readPolicySource(file);
    parsePolicy(source.text, source.file);
    const wanted = { ...source, by: whoAmI(), why, strict: options['strict'] === true };
    const { where, ...applied } = await withPolicies(
      context,
      async (policies, where) => ({ where, ...(await policies.apply(wanted)) }),
      { writes: true },
    );
    if (context.json) {
      context.document({ format: 1, ...applied, running: where === 'running' });
      return 0;
    }
    const { policy, report, lost } = applied;
    for (const line of [...reportLines(report), ...changeLines(report), ...replayLines(report)]) context.say(line);
    context.say(`version ${policy.version} is in force`);
    if (where === 'offline') context.say('the broker does not run: it starts with it');
    else if (lost.subscriptions > 0) {
      context.say(
        `ended with it: ${counted(lost.subscriptions, 'subscription')}, ${counted(lost.connections, 'connection')}`,
      );
    }
    return 0;
  },
};

/** As this process is run; nothing proves it. */
function whoAmI(): string {
  try {
    return userInfo().username.slice(0, 100) || 'unknown';
  } catch {
    return 'unknown';
  }
}

const WHY_MAX = 500;
