// `motte policy diff FILE`: what FILE, or an older version, would change of the policy in force. 0 nothing · 1 something.

import { MotteError } from '@motte/admin/errors';
import { type CommandFile, textOption } from '../command.ts';
import { parsePolicy } from '../policy/document.ts';
import { withPolicies } from '../policy/open-policies.ts';
import { readPolicySource } from '../policy/read-source.ts';
import { changeLines } from '../policy/say-report.ts';
import { parseVersion } from './policy-show.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('[file]', 'a policy; - for standard input')
      .option('--version <n>', 'in place of FILE, one that was applied before; 0 is the built-in one');
  },
  async run(context, [file], options) {
    const version = parseVersion(textOption(options, 'version'));
    if ((file === undefined) === (version === undefined)) {
      throw new MotteError('MOT-0002', 'motte policy diff takes FILE or --version N');
    }
    const given = file === undefined ? undefined : readPolicySource(file);
    if (given !== undefined) parsePolicy(given.text, given.file);
    const { changes } = await withPolicies(
      context,
      async (policies) => policies.check(given ?? sourceOf(await policies.read(version))),
      { writes: false },
    );
    if (context.json) context.document({ format: 1, changes });
    else context.say(changes.length === 0 ? 'it says the same' : changeLines({ changes }).join('\n'));
    return changes.length === 0 ? 0 : 1;
  },
};

function sourceOf({ text, file }: { readonly text: string; readonly file: string }) {
  return { text, file };
}
