// `motte policy export FILE`: the policy as it was applied, comments included, into a new file.

import { basename, dirname, resolve } from 'node:path';
import { type CommandFile, textOption } from '../command.ts';
import { ONE_FILE, reserveFiles } from '../data/new-files.ts';
import { withPolicies } from '../policy/open-policies.ts';
import { parseVersion } from './policy-show.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<file>', 'a new file; nothing is overwritten')
      .option('--version <n>', 'an older one; 0 is the built-in one');
  },
  async run(context, [file = ''], options) {
    const version = parseVersion(textOption(options, 'version'));
    const { text, ...policy } = await withPolicies(context, (policies) => policies.read(version), { writes: false });
    const path = resolve(file);
    const name = basename(path);
    reserveFiles(dirname(path), [{ name, mode: 0o600 }], ONE_FILE).write(new Map([[name, text]]));
    if (context.json) context.document({ format: 1, policy, written: path });
    else context.say(`version ${policy.version} is in ${file}`);
    return 0;
  },
};
