// `motte policy show`: the policy in force as YAML, an older one, or which there were.

import { MotteError } from '@motte/admin/errors';
import { type CommandFile, textOption } from '../command.ts';
import { withPolicies } from '../policy/open-policies.ts';
import { renderTable } from '../table.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .option('--version <n>', 'an older one; 0 is the built-in one')
      .option('--versions', 'which there were: when, by whom and why');
  },
  async run(context, _args, options) {
    const version = parseVersion(textOption(options, 'version'));
    if (options['versions'] === true) {
      const versions = await withPolicies(context, (policies) => policies.versions(), { writes: false });
      if (context.json) context.document({ format: 1, versions });
      else {
        const rows = versions.map((one) => [one.version, one.applied ?? '', one.by, one.file, one.why]);
        context.say(renderTable(['VERSION', 'APPLIED', 'BY', 'FILE', 'WHY'], rows));
      }
      return 0;
    }
    const policy = await withPolicies(context, (policies) => policies.read(version), { writes: false });
    if (context.json) context.document({ format: 1, policy });
    else {
      const { applied, by, file, why } = policy;
      const when =
        applied === null ? 'built in' : `applied ${applied} by ${by} from ${file}${why === '' ? '' : `: ${why}`}`;
      context.warn(`motte: version ${policy.version}, ${when}`);
      context.say(policy.text.trimEnd());
    }
    return 0;
  },
};

/** Throws MOT-0002. */
export function parseVersion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^(?:0|[1-9][0-9]{0,8})$/.test(text)) throw new MotteError('MOT-0002', '--version takes the number of a policy');
  return Number(text);
}
